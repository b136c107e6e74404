//! What the user looks at, and what keys change. Pure: it knows no clock and no terminal.

use bwmon_core::filter::Filter;

use super::columns::{Sort, Tab};
use super::filter_line::{Accepted, FilterLine};
use super::keys::{Action, Mode};
use super::label::Labels;
use super::model::{Model, Overview};
use super::rows::{RowKey, Rows};
use super::update::Update;

/// Most rows that one is looked into, one inside the other.
const MOST_FOCUS: usize = 4;

/// What is to happen after an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Show it.
    Draw,
    /// Paint everything anew.
    Redraw,
    /// Stop until the shell continues the process.
    Suspend,
    /// Take the terminal over again.
    Enter,
    /// End.
    Quit,
}

/// The state of the view.
#[derive(Debug)]
pub(super) struct App {
    model: Model,
    /// What is shown while the view is paused; the model goes on.
    frozen: Option<Box<Model>>,
    mode: Mode,
    tab: Tab,
    sorts: [Sort; Tab::ALL.len()],
    filter: FilterLine,
    filter_before: Option<Accepted>,
    focus: Vec<RowKey>,
    selected: Option<RowKey>,
    rows: Rows,
    labels: Labels,
    overview: Overview,
    /// First row on the screen, and how many fit; the view tells the latter.
    offset: usize,
    page: usize,
    help_offset: usize,
    notice: Option<String>,
}

impl App {
    /// A view that has seen nothing.
    pub(super) fn new(tab: Tab, filter: Option<Accepted>) -> Self {
        Self {
            model: Model::default(),
            frozen: None,
            mode: Mode::Rows,
            tab,
            sorts: [Sort::default(); Tab::ALL.len()],
            filter: FilterLine::new(filter),
            filter_before: None,
            focus: Vec::new(),
            selected: None,
            rows: Rows::default(),
            labels: Labels::default(),
            overview: Overview::default(),
            offset: 0,
            page: 1,
            help_offset: 0,
            notice: None,
        }
    }

    /// Takes what happened since the last refresh.
    pub(super) fn apply(&mut self, update: Update) {
        self.model.apply(update);
        if self.frozen.is_none() {
            self.recompute();
        }
    }

    /// Does what the user wants.
    pub(super) fn act(&mut self, action: Action) -> Next {
        self.notice = None;
        match action {
            Action::Quit => return Next::Quit,
            Action::Suspend => return Next::Suspend,
            Action::Redraw => return Next::Redraw,
            Action::Leave => {
                if !self.step_back() {
                    return Next::Quit;
                }
            }
            Action::Back => {
                self.step_back();
            }
            Action::Show(tab) => self.show(tab),
            Action::NextTab => self.show(self.tab.further(1)),
            Action::PreviousTab => self.show(self.tab.further(Tab::ALL.len() - 1)),
            Action::NextSort => self.sort(|sort, tab| sort.further(tab, 1)),
            Action::PreviousSort => self.sort(Sort::back),
            Action::Reverse => self.sort(|sort, _| Sort {
                is_reversed: !sort.is_reversed,
                ..sort
            }),
            Action::Pause => self.pause(),
            Action::Help => self.turn_help(),
            Action::Filter => {
                self.filter_before = self.filter.accepted().cloned();
                self.mode = Mode::Filter;
            }
            Action::Type(edit) => {
                self.filter.edit(edit);
                self.look_anew();
            }
            Action::Accept => self.accept_filter(),
            Action::Revert => {
                self.filter = FilterLine::new(self.filter_before.take());
                self.mode = Mode::Rows;
                self.look_anew();
            }
            Action::Move(steps) => self.step(steps),
            Action::Page(pages) => self.step(pages.saturating_mul(signed(self.page))),
            Action::First => self.step(isize::MIN),
            Action::Last => self.step(isize::MAX),
            Action::Enter => self.enter(),
        }
        Next::Draw
    }

    /// Says how many rows fit on the screen.
    pub(super) fn set_page(&mut self, rows: usize) {
        self.page = rows.max(1);
        self.follow_selection();
    }

    fn look_anew(&mut self) {
        self.offset = 0;
        self.labels = Labels::default();
        self.recompute();
    }

    fn recompute(&mut self) {
        let model = self.frozen.as_deref().unwrap_or(&self.model);
        self.rows = model.rows(self.tab, self.filter(), &self.focus, self.current_sort());
        self.labels.fill(&self.rows, model);
        self.overview = model.overview();
        self.follow_selection();
    }

    fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.selected = None;
        self.look_anew();
    }

    fn sort(&mut self, change: impl Fn(Sort, Tab) -> Sort) {
        if let Some(sort) = self.sorts.get_mut(self.tab.index()) {
            *sort = change(*sort, self.tab);
        }
        self.recompute();
    }

    fn pause(&mut self) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(Box::new(self.model.clone())),
        };
        self.recompute();
    }

    fn turn_help(&mut self) {
        self.help_offset = 0;
        self.mode = match self.mode {
            Mode::Help => Mode::Rows,
            Mode::Rows | Mode::Filter => Mode::Help,
        };
    }

    fn accept_filter(&mut self) {
        if self.filter.error().is_none() {
            self.filter_before = None;
            self.mode = Mode::Rows;
        }
    }

    /// Out of a selection, else out of a focus.
    fn step_back(&mut self) -> bool {
        if self.selected.take().is_some() {
            self.offset = 0;
            return true;
        }
        let Some(left) = self.focus.pop() else {
            return false;
        };
        self.show(left.tab());
        self.selected = Some(left);
        self.follow_selection();
        true
    }

    /// Looks into the selected row: the peers of an interface, the flows of anything else.
    fn enter(&mut self) {
        let Some(key) = self.selected else {
            self.notice = Some("select a row first, with the arrow keys".to_owned());
            return;
        };
        let next = match key.tab() {
            Tab::Flows => {
                self.notice = Some("a flow is as fine as it gets".to_owned());
                return;
            }
            Tab::Interfaces => Tab::Peers,
            Tab::Peers | Tab::Ports | Tab::Protocols => Tab::Flows,
        };
        if self.is_not_captured(key) {
            self.notice = Some("this interface is not captured: --interface names others".into());
            return;
        }
        if self.focus.len() < MOST_FOCUS && !self.focus.contains(&key) {
            self.focus.push(key);
        }
        self.show(next);
    }

    fn is_not_captured(&self, key: RowKey) -> bool {
        let row = self.rows.shown.iter().find(|row| row.key == key);
        let interface = row.and_then(|row| row.interface.as_ref());
        interface.is_some_and(|interface| !interface.is_captured)
    }

    /// Moves the selection; the first step down selects the first row on the screen.
    fn step(&mut self, steps: isize) {
        if self.mode == Mode::Help {
            self.help_offset = self
                .help_offset
                .saturating_add_signed(steps.clamp(-999, 999));
            return;
        }
        let last = self.rows.shown.len().saturating_sub(1);
        let next = match self.selected_index() {
            Some(at) => at.saturating_add_signed(steps).min(last),
            None if steps == isize::MAX => last,
            None => self.offset.min(last),
        };
        self.selected = self.rows.shown.get(next).map(|row| row.key);
        self.follow_selection();
    }

    /// Keeps the selected row on the screen wherever it moves to, and the screen full.
    fn follow_selection(&mut self) {
        let most = self.rows.shown.len().saturating_sub(self.page);
        self.offset = self.offset.min(most);
        match self.selected_index() {
            Some(at) if at < self.offset => self.offset = at,
            Some(at) if at >= self.offset + self.page => self.offset = at + 1 - self.page,
            Some(_) => {}
            None => {
                self.selected = None;
            }
        }
    }
}

/// What the view shows.
impl App {
    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) const fn tab(&self) -> Tab {
        self.tab
    }

    pub(super) const fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) const fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(super) const fn overview(&self) -> &Overview {
        &self.overview
    }

    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    /// How many rows fit on the screen.
    pub(super) const fn page(&self) -> usize {
        self.page
    }

    pub(super) const fn help_offset(&self) -> usize {
        self.help_offset
    }

    pub(super) const fn filter_line(&self) -> &FilterLine {
        &self.filter
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    pub(super) fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    pub(super) fn focus(&self) -> &[RowKey] {
        &self.focus
    }

    /// Place of the selected row.
    pub(super) fn selected_index(&self) -> Option<usize> {
        let selected = self.selected?;
        self.rows.shown.iter().position(|row| row.key == selected)
    }

    pub(super) fn current_sort(&self) -> Sort {
        self.sorts
            .get(self.tab.index())
            .copied()
            .unwrap_or_default()
    }

    /// The model that is shown.
    pub(super) fn model(&self) -> &Model {
        self.frozen.as_deref().unwrap_or(&self.model)
    }

    fn filter(&self) -> Option<&Filter> {
        self.filter.accepted().map(|accepted| &accepted.filter)
    }

    /// Goes back to the start of the help where it was scrolled out of sight.
    pub(super) fn bound_help(&mut self, most: usize) {
        self.help_offset = self.help_offset.min(most);
    }
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}

#[cfg(test)]
mod tests;
