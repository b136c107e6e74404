use wildmatch::WildMatch;

/// Which names are reported. In a pattern `*` stands for any text and `?` for any one character.
///
/// An empty `include` admits every name; `exclude` wins over `include`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameFilter {
    /// Patterns of which a name must match at least one, unless there are none.
    pub include: Vec<String>,
    /// Patterns of which a name must match none.
    pub exclude: Vec<String>,
}

/// A [`NameFilter`] ready to match.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    include: Vec<WildMatch>,
    exclude: Vec<WildMatch>,
}

impl Matcher {
    pub(super) fn new(filter: &NameFilter) -> Self {
        let compile = |patterns: &[String]| patterns.iter().map(|p| WildMatch::new(p)).collect();
        Self {
            include: compile(&filter.include),
            exclude: compile(&filter.exclude),
        }
    }

    /// Whether something that goes by any of `names` is admitted.
    pub(super) fn admits(&self, names: &[&str]) -> bool {
        let any = |patterns: &[WildMatch]| {
            patterns
                .iter()
                .any(|pattern| names.iter().any(|name| pattern.matches(name)))
        };
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(include: &[&str], exclude: &[&str]) -> Matcher {
        let owned = |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect();
        Matcher::new(&NameFilter {
            include: owned(include),
            exclude: owned(exclude),
        })
    }

    #[test]
    fn an_empty_filter_admits_everything() {
        assert!(matcher(&[], &[]).admits(&["eth0"]));
    }

    #[test]
    fn include_selects_and_exclude_wins() {
        let filter = matcher(&["eth*", "wlan?"], &["eth1"]);
        assert!(filter.admits(&["eth0"]) && filter.admits(&["wlan0"]));
        assert!(!filter.admits(&["eth1"]) && !filter.admits(&["wlan10"]));
        assert!(!filter.admits(&["docker0"]));
    }

    #[test]
    fn each_of_several_names_counts() {
        assert!(matcher(&["/dev/vda*"], &[]).admits(&["/home", "/dev/vda2"]));
        assert!(!matcher(&["/home"], &["/dev/vda*"]).admits(&["/home", "/dev/vda2"]));
    }
}
