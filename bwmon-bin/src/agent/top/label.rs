//! What rows are called.

use std::net::IpAddr;

use bwmon_core::flow::{Endpoint, FlowKey};
use bwmon_core::protocol;

use super::columns::{Column, Tab};
use super::format::harmless;
use super::model::Model;
use super::rows::{InterfaceRow, Row, RowKey, Rows, state};

/// The texts of rows, and how wide their columns have to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    /// Of each row, one of each column of text, in their order.
    texts: Vec<Vec<String>>,
    /// The widest so far of each column, so that columns do not jump at each refresh.
    widths: Vec<usize>,
}

impl Labels {
    /// Names `rows`.
    pub(super) fn fill(&mut self, rows: &Rows, model: &Model) {
        self.texts = rows.shown.iter().map(|row| texts(row, model)).collect();
        for texts in &self.texts {
            self.widths.resize(self.widths.len().max(texts.len()), 0);
            for (width, text) in self.widths.iter_mut().zip(texts) {
                *width = (*width).max(text.chars().count());
            }
        }
    }

    /// The text of the row at `index` in the column of text number `column`.
    pub(super) fn text(&self, index: usize, column: usize) -> &str {
        let texts = self.texts.get(index);
        texts
            .and_then(|texts| texts.get(column))
            .map_or("", String::as_str)
    }

    /// The widest text of the column of text number `column`.
    pub(super) fn width(&self, column: usize) -> usize {
        self.widths.get(column).copied().unwrap_or(0)
    }
}

/// The columns of text of a view.
pub(super) fn text_columns(tab: Tab) -> impl Iterator<Item = Column> {
    let columns = tab.columns().iter().copied();
    columns.filter(|column| column.is_text())
}

/// One text for each column of text of the row's view.
pub(super) fn texts(row: &Row, model: &Model) -> Vec<String> {
    let text = |column| match (column, &row.key) {
        (Column::State, _) => row
            .interface
            .as_ref()
            .map_or_else(String::new, interface_state),
        (Column::Service, RowKey::Flow(_, key)) => protocol_name(key.protocol),
        (Column::Local, RowKey::Flow(_, key)) => endpoint(key, &key.local),
        (Column::Remote, RowKey::Flow(_, key)) => endpoint(key, &key.remote),
        (Column::Where, RowKey::Flow(place, _)) => {
            harmless(model.interface_name(*place).unwrap_or("-"))
        }
        (_, key) => name(key, model),
    };
    text_columns(row.key.tab()).map(text).collect()
}

fn interface_state(interface: &InterfaceRow) -> String {
    let state = state(&interface.facts);
    if interface.is_captured {
        format!("{state}, captured")
    } else {
        state.to_owned()
    }
}

/// What a row is called in one text.
pub(super) fn name(key: &RowKey, model: &Model) -> String {
    match key {
        RowKey::Interface(id) => harmless(model.interface_name(Some(*id)).unwrap_or("-")),
        RowKey::Peer(address) => address.to_string(),
        RowKey::Flow(_, key) => format!(
            "{} {} {}",
            protocol_name(key.protocol),
            endpoint(key, &key.local),
            endpoint(key, &key.remote)
        ),
        RowKey::Port(protocol, Some(port)) => {
            format!("{port}/{}", protocol_name(*protocol).to_lowercase())
        }
        RowKey::Port(protocol, None) | RowKey::Protocol(protocol) => protocol_name(*protocol),
    }
}

/// An address and its port: `192.0.2.1:443`, `[2001:db8::1]:443`; `*` for the ports of many
/// connections; no port where there is none.
fn endpoint(key: &FlowKey, endpoint: &Endpoint) -> String {
    let Endpoint { address, port } = endpoint;
    let port = match (key.has_ports, port) {
        (false, _) => return address.to_string(),
        (true, 0) => "*".to_owned(),
        (true, port) => port.to_string(),
    };
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    }
}

fn protocol_name(number: u8) -> String {
    protocol::name(number).map_or_else(|| format!("proto {number}"), str::to_owned)
}
