//! The filter language: which flows to show.
//!
//! ```
//! use bwmon_core::filter::{Filter, Subject};
//! use bwmon_core::report::FlowRow;
//!
//! # fn flows() -> Vec<FlowRow> { Vec::new() }
//! let filter = Filter::parse_for("port in (80, 443) and bytes > 1 GB", FlowRow::FIELDS)?;
//! let large: Vec<FlowRow> = flows().into_iter().filter(|flow| filter.matches(flow)).collect();
//!
//! let text = "tcp and prot 443";
//! let error = text.parse::<Filter>().unwrap_err();
//! assert_eq!(error.message, "`prot` is no field; did you mean `port` or `proto`?");
//! assert_eq!(error.excerpt(text), "tcp and prot 443\n        ^^^^");
//! # Ok::<(), bwmon_core::filter::FilterError>(())
//! ```
//!
//! A filter is applied to what was counted, never to what is counted: totals stay whole, and a
//! filter only says which of their parts are shown. Parsing allocates; judging does not. No text
//! makes it panic or overflow the stack. `docs/filter.md` tells users of it.
//!
//! # Grammar
//!
//! ```text
//! filter     = any ;
//! any        = all , { or , all } ;
//! all        = operand , { and , operand } ;
//! operand    = not , operand | "(" , any , ")" | comparison | short ;
//! comparison = FIELD , ( "=" | "==" | "!=" ) , value
//!            | FIELD , ( "<" | "<=" | ">" | ">=" ) , value        (* ports, VLANs, amounts *)
//!            | FIELD , [ "not" ] , "in" , "(" , value , { "," , value } , ")"
//!            | FIELD , value ;                                    (* means "="; not amounts *)
//! short      = PROTOCOL , [ comparison ] ;                        (* of a port: "tcp port 443" *)
//! or         = "or" | "||" ;
//! and        = "and" | "&&" ;
//! not        = "not" | "!" ;
//! value      = WORD | QUOTED | NUMBER , [ UNIT ] ;
//! WORD       = character , { character } ;  (* no white space, none of ( ) , = ! < > & | " ' \ *)
//! QUOTED     = '"' , { character } , '"' | "'" , { character } , "'" ;   (* \ escapes *)
//! ```
//!
//! `FIELD` is a name or alias of a [`Field`], `PROTOCOL` a name of [`crate::protocol`]. These, and
//! `and`, `or`, `not` and `in`, are written in any case; as a value the four are quoted. Bounds:
//! [`MAX_BYTES`], [`MAX_DEPTH`], [`MAX_LIST`].
//!
//! # Meaning
//!
//! - `ip` and `port` hold if they hold of either end.
//! - `!=` and `not in` are `=` and `in`, denied: `port != 443` says that neither end is 443.
//! - A comparison with what a [`Subject`] does not have is false, and so its denial is true.

mod display;
mod error;
mod expression;
mod field;
mod lexer;
mod parser;
mod subject;
mod value;

pub use error::FilterError;
pub use expression::Filter;
pub use field::{Field, Fields};
pub use subject::{Named, Subject, Vlan};

/// Longest filter in bytes, as it is given and as it is written out.
pub const MAX_BYTES: usize = 4096;
/// How deep parentheses and `not` may nest.
pub const MAX_DEPTH: usize = 32;
/// Most values of one list.
pub const MAX_LIST: usize = 256;

#[cfg(test)]
mod tests;
