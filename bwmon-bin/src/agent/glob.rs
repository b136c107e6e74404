//! Names with `*` and `?`, as shells write them.

/// Whether `pattern` is more than a plain name.
pub(super) fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

/// Whether `name` matches `pattern`, in which `*` stands for any characters and `?` for one.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut retry = None;
    loop {
        let mut rest = pattern.clone();
        match (rest.next(), name.clone().next()) {
            (Some('*'), _) => {
                retry = Some((rest.clone(), name.clone()));
                pattern = rest;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                pattern = rest;
                name.next();
            }
            (None, None) => return true,
            _ => {
                // Let the last star stand for one character more.
                let Some((after_star, at)) = retry.as_mut() else { return false };
                if at.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                name = at.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, expected) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("eth*", "eth", true),
            ("*", "", true),
            ("eth?", "eth0", true),
            ("eth?", "eth", false),
            ("v*h*x", "vethhhx", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "aab", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
