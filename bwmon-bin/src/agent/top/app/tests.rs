use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::columns::Column;
use super::super::doubles::{flow, update};
use super::super::keys::action;
use super::*;

fn app() -> App {
    let mut app = App::new(Tab::Peers, None);
    app.set_page(2);
    app.apply(traffic());
    app
}

fn traffic() -> Update {
    update(&[
        flow(1, 443, 4_000, 0),
        flow(2, 443, 3_000, 0),
        flow(3, 53, 2_000, 9),
        flow(3, 443, 1_000, 0),
    ])
}

fn press(app: &mut App, code: KeyCode) -> Next {
    let key = KeyEvent::new(code, KeyModifiers::NONE);
    app.act(action(key, app.mode()).unwrap())
}

fn type_in(app: &mut App, text: &str) {
    for character in text.chars() {
        press(app, KeyCode::Char(character));
    }
}

fn peer(n: u8) -> RowKey {
    RowKey::Peer([192, 0, 2, n].into())
}

fn keys(app: &App) -> Vec<RowKey> {
    app.rows().shown.iter().map(|row| row.key).collect()
}

#[test]
fn order_changes_at_refreshes_and_by_keys_and_at_nothing_else() {
    let mut app = app();
    let before = keys(&app);
    app.set_page(10);
    press(&mut app, KeyCode::Down);
    assert_eq!(keys(&app), before);
    press(&mut app, KeyCode::Char('r'));
    let mut reversed = before.clone();
    reversed.reverse();
    assert_eq!(keys(&app), reversed);
}

#[test]
fn each_view_remembers_its_order() {
    let mut app = app();
    press(&mut app, KeyCode::Char('<'));
    let by = app.current_sort().column;
    assert_eq!(by, Column::Sent);
    press(&mut app, KeyCode::Char('3'));
    assert_eq!(app.current_sort().column, Column::Sum);
    press(&mut app, KeyCode::BackTab);
    assert_eq!((app.tab(), app.current_sort().column), (Tab::Peers, by));
}

#[test]
fn a_selection_follows_its_row_and_stays_on_the_screen() {
    let mut app = app();
    press(&mut app, KeyCode::Down);
    assert_eq!(app.selected_index(), Some(0));
    press(&mut app, KeyCode::Char('r'));
    assert_eq!(app.selected_index(), Some(2));
    assert_eq!(app.offset(), 1, "of three rows the last two are seen");
    press(&mut app, KeyCode::Home);
    assert_eq!((app.selected_index(), app.offset()), (Some(0), 0));
    press(&mut app, KeyCode::PageDown);
    assert_eq!((app.selected_index(), app.offset()), (Some(2), 1));
    for _ in 0..5 {
        press(&mut app, KeyCode::Up);
    }
    assert_eq!(app.selected_index(), Some(0));
}

#[test]
fn looking_into_a_peer_shows_its_flows_and_escape_goes_back() {
    let mut app = app();
    press(&mut app, KeyCode::End);
    press(&mut app, KeyCode::Enter);
    assert_eq!((app.tab(), app.rows().count), (Tab::Flows, 1));
    press(&mut app, KeyCode::Esc);
    assert_eq!((app.tab(), app.rows().count), (Tab::Peers, 3));
    assert_eq!(app.selected_index(), Some(2));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.selected_index(), None);
    assert_eq!(press(&mut app, KeyCode::Backspace), Next::Draw);
    assert_eq!(press(&mut app, KeyCode::Esc), Next::Quit);
}

#[test]
fn looking_into_nothing_says_what_to_do() {
    let mut app = app();
    press(&mut app, KeyCode::Enter);
    assert!(app.notice().unwrap().contains("select a row"));
    press(&mut app, KeyCode::Char('1'));
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Enter);
    assert_eq!((app.tab(), app.notice()), (Tab::Peers, None));
    assert_eq!(app.rows().count, 3, "all is on that interface");
}

#[test]
fn a_pause_holds_what_is_shown_and_loses_nothing() {
    let mut app = app();
    press(&mut app, KeyCode::Char(' '));
    for _ in 0..5 {
        app.apply(traffic());
    }
    assert!(app.is_paused());
    assert_eq!(app.rows().sum.total.ingress.bytes, 10_000);
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, "port 53");
    press(&mut app, KeyCode::Enter);
    assert_eq!(keys(&app), [peer(3)], "what is held can be filtered");
    assert_eq!(app.rows().sum.total.ingress.bytes, 2_000);
    press(&mut app, KeyCode::Char(' '));
    assert_eq!(app.rows().sum.total.ingress.bytes, 12_000);
}

#[test]
fn a_filter_works_while_it_is_typed_and_escape_brings_the_last_one_back() {
    let mut app = app();
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, "port 53");
    assert_eq!(app.rows().count, 1);
    press(&mut app, KeyCode::Enter);
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, " or port 443");
    assert_eq!(app.rows().count, 3);
    press(&mut app, KeyCode::Esc);
    assert_eq!((app.mode(), app.rows().count), (Mode::Rows, 1));
}

#[test]
fn help_opens_scrolls_and_closes() {
    let mut app = app();
    press(&mut app, KeyCode::Char('?'));
    press(&mut app, KeyCode::Down);
    assert_eq!((app.mode(), app.help_offset()), (Mode::Help, 1));
    press(&mut app, KeyCode::Up);
    press(&mut app, KeyCode::Up);
    assert_eq!(app.help_offset(), 0);
    press(&mut app, KeyCode::Char('?'));
    assert_eq!(app.mode(), Mode::Rows);
    assert_eq!(app.selected_index(), None);
}

#[test]
fn a_row_that_is_gone_is_no_longer_selected() {
    let mut app = app();
    press(&mut app, KeyCode::Down);
    press(&mut app, KeyCode::Char('/'));
    type_in(&mut app, "port 53");
    assert_eq!(app.selected_index(), None);
}
