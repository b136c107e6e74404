//! The filter language from outside: against a naive evaluator, over any text, and as its page for
//! users tells it.

// An index that is wrong here fails the test, as it should.
#![allow(clippy::indexing_slicing)]

mod naive;
mod page;

use bwmon_core::filter::{Filter, FilterError};
use naive::{Expression, Row};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Whatever way an expression is written, it judges as the naive evaluator does; and so does the
    /// text that the filter itself writes.
    #[test]
    fn a_filter_judges_as_the_naive_evaluator(
        expression in naive::expressions(),
        rows in proptest::collection::vec(naive::rows(), 8),
        style in any::<u64>(),
    ) {
        let text = expression.written(style);
        let filter = parsed(&text)?;
        let canonical = filter.to_string();
        prop_assert_eq!(&parsed(&canonical)?, &filter, "{} is written {}", text, canonical);
        for row in &rows {
            prop_assert_eq!(
                filter.matches(row), expression.holds(row), "{} as {} on {:?}", text, canonical, row
            );
        }
    }

    /// Any text is a filter or an error at a place within it.
    #[test]
    fn any_text_is_a_filter_or_an_error(text in any::<String>()) {
        check(&text)?;
    }

    /// Texts of the language's own words reach further than any text does.
    #[test]
    fn any_order_of_words_is_a_filter_or_an_error(
        words in proptest::collection::vec(word(), 0..24), between in 0..3usize,
    ) {
        check(&words.join(["", " ", "\n"][between]))?;
    }

    /// A filter with something amiss in it.
    #[test]
    fn a_damaged_filter_is_a_filter_or_an_error(
        expression in naive::expressions(),
        style in any::<u64>(),
        at in any::<prop::sample::Index>(),
        put in any::<char>(),
        is_cut in any::<bool>(),
    ) {
        let mut characters: Vec<char> = expression.written(style).chars().collect();
        let at = at.index(characters.len());
        if is_cut {
            characters.truncate(at);
        } else {
            characters[at] = put;
        }
        check(&characters.into_iter().collect::<String>())?;
    }
}

#[test]
fn no_depth_and_no_length_overflows_the_stack() {
    for part in [
        "(",
        "!",
        "not ",
        "tcp port ",
        "(!",
        "tcp and (",
        "a",
        "'",
        "port in (1,",
        "\\",
    ] {
        let text = part.repeat(200_000);
        assert!(text.parse::<Filter>().is_err(), "{part}");
        let mut bounded = text;
        bounded.truncate(4096);
        assert!(bounded.parse::<Filter>().is_err(), "{part}");
    }
}

fn parsed(text: &str) -> Result<Filter, TestCaseError> {
    text.parse().map_err(|error: FilterError| {
        TestCaseError::fail(format!("{error}\n{}", error.excerpt(text)))
    })
}

fn check(text: &str) -> Result<(), TestCaseError> {
    match text.parse::<Filter>() {
        Ok(filter) => {
            let written = filter.to_string();
            prop_assert_eq!(&parsed(&written)?, &filter);
            prop_assert_eq!(parsed(&written)?.to_string(), written);
        }
        Err(error) => {
            prop_assert!(text.is_char_boundary(error.position), "{:?}", error);
            prop_assert!(!error.message.is_empty());
            prop_assert!(
                error.message.chars().all(|c| !c.is_control()),
                "{:?}",
                error
            );
            let excerpt = error.excerpt(text);
            let lines: Vec<&str> = excerpt.split('\n').collect();
            prop_assert_eq!(lines.len(), 2);
            prop_assert!(
                lines[1].trim_start().chars().all(|c| c == '^') && lines[1].ends_with('^')
            );
        }
    }
    Ok(())
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "and",
        "or",
        "not",
        "in",
        "&&",
        "||",
        "!",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<",
        ">=",
        "ip",
        "port",
        "local.port",
        "vlan",
        "host",
        "bytes",
        "packets",
        "interface",
        "protocol",
        "version",
        "tcp",
        "udp",
        "443",
        "1-2",
        "10.0.0.0/8",
        "::1",
        "none",
        "4",
        "1.5",
        "GB",
        "k",
        "Mb",
        "eth*",
        "\"a b\"",
        "'",
        "\\",
        "src",
        "&",
        "é",
        "\u{202e}",
    ])
}

/// A guard of the guard: the naive evaluator is right about what is plain.
#[test]
fn the_naive_evaluator_knows_both_answers() {
    let (mut true_ones, mut false_ones) = (0, 0);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..500 {
        let pair = (naive::expressions(), naive::rows());
        let (expression, row): (Expression, Row) =
            pair.new_tree(&mut runner).expect("a value").current();
        *if expression.holds(&row) {
            &mut true_ones
        } else {
            &mut false_ones
        } += 1;
    }
    assert!(
        true_ones > 100 && false_ones > 100,
        "{true_ones} {false_ones}"
    );
}
