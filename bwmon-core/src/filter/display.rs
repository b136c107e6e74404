//! The one text of a filter: full names, `=` before one value and `in` before several, and only the
//! parentheses that are needed.

use std::fmt::{self, Display, Formatter};

use super::expression::{Compare, Filter, Node, Test};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(nodes) => joined(f, nodes, " and ", operand),
            // `and` binds more tightly than `or`.
            Self::Any(nodes) => joined(f, nodes, " or ", Display::fmt),
            Self::Not(node) => match &**node {
                Self::Test(test) => test.write(f, true),
                node => {
                    f.write_str("not ")?;
                    operand(node, f)
                }
            },
            Self::Test(test) => test.write(f, false),
        }
    }
}

fn joined(
    f: &mut Formatter<'_>,
    nodes: &[Node],
    between: &str,
    write: impl Fn(&Node, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write(node, f)?;
    }
    Ok(())
}

/// What `not` and `and` stand beside.
fn operand(node: &Node, f: &mut Formatter<'_>) -> fmt::Result {
    match node {
        Node::All(_) | Node::Any(_) => write!(f, "({node})"),
        Node::Not(_) | Node::Test(_) => node.fmt(f),
    }
}

impl Test {
    fn write(&self, f: &mut Formatter<'_>, is_not: bool) -> fmt::Result {
        let field = self.field();
        match self {
            Self::Name(_, globs) => any_of(f, field, is_not, globs),
            Self::Address(_, networks) => any_of(f, field, is_not, networks),
            Self::Port(_, compare) => compared(f, field, is_not, compare),
            Self::Protocol(protocols) => any_of(f, field, is_not, protocols),
            Self::Version(versions) => any_of(f, field, is_not, versions),
            Self::Vlan(compare) => compared(f, field, is_not, compare),
            Self::Amount(_, _, compare) => compared(f, field, is_not, compare),
        }
    }
}

fn compared<V: Display, T: Display>(
    f: &mut Formatter<'_>,
    field: impl Display,
    is_not: bool,
    compare: &Compare<V, T>,
) -> fmt::Result {
    match compare {
        Compare::AnyOf(values) => any_of(f, field, is_not, values),
        Compare::Ordered(order, limit) => {
            let not = if is_not { "not " } else { "" };
            write!(f, "{not}{field} {order} {limit}")
        }
    }
}

fn any_of(
    f: &mut Formatter<'_>,
    field: impl Display,
    is_not: bool,
    values: &[impl Display],
) -> fmt::Result {
    if let [value] = values {
        let equal = if is_not { "!=" } else { "=" };
        return write!(f, "{field} {equal} {value}");
    }
    let not = if is_not { "not " } else { "" };
    write!(f, "{field} {not}in (")?;
    for (at, value) in values.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        write!(f, "{comma}{value}")?;
    }
    f.write_str(")")
}
