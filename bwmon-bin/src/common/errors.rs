//! Errors as people read them.

/// An error and its causes in one line, without the causes that it names itself.
pub fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    #[test]
    fn a_cause_is_named_once() {
        let refused = || Err::<(), _>(anyhow!("permission denied"));
        let plain = refused().context("cannot open x").unwrap_err();
        assert_eq!(told(&plain), "cannot open x: permission denied");
        let told_already = refused()
            .context("x: permission denied; use y")
            .unwrap_err();
        assert_eq!(told(&told_already), "x: permission denied; use y");
    }
}
