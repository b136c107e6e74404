//! Reads metrics as Prometheus does, and what docs/metrics.md lists.

use std::collections::BTreeMap;

/// Families by name with their kind, and samples by name and labels.
#[derive(Debug, Default)]
pub(crate) struct Scraped {
    pub(crate) kinds: BTreeMap<String, String>,
    pub(crate) samples: BTreeMap<String, f64>,
}

impl Scraped {
    /// Reads the text strictly: each family has its help and its kind first, once, and every sample is of
    /// the family before it (Prometheus, "Exposition formats").
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let mut scraped = Self::default();
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(help.len() > 10, "{line}");
                name.clone_into(&mut family);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(name, family);
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                let before = scraped.kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} is there twice");
            } else {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(name.split('{').next(), Some(family.as_str()), "{line}");
                assert!(scraped.kinds.contains_key(&family));
                let value = value.parse().unwrap();
                let before = scraped.samples.insert(name.to_owned(), value);
                assert_eq!(before, None, "{line}");
            }
        }
        scraped
    }
}

/// What the page lists with a name that starts like this, by kind.
pub(crate) fn listed(prefix: &str) -> BTreeMap<String, String> {
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|line| {
        let (name, rest) = line.split_once('`').unwrap();
        let name = name.split('{').next().unwrap();
        let kind = rest.split('|').nth(1).unwrap().trim();
        (name.to_owned(), kind.to_owned())
    })
    .filter(|(name, _)| name.starts_with(prefix))
    .collect()
}
