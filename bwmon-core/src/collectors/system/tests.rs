use super::*;

fn interface(name: &str, kind: InterfaceKind, stacked_on: &[&str]) -> InterfaceFacts {
    InterfaceFacts {
        name: name.to_owned(),
        kind,
        stacked_on: stacked_on.iter().map(ToString::to_string).collect(),
        ..InterfaceFacts::default()
    }
}

fn uplinks(default_routes: &[&str]) -> Vec<String> {
    let mut interfaces = [
        interface("lo", InterfaceKind::Loopback, &[]),
        interface("eth0", InterfaceKind::Physical, &[]),
        interface("eth1", InterfaceKind::Physical, &[]),
        interface("br0", InterfaceKind::Bridge, &["eth0", "veth0"]),
        interface("veth0", InterfaceKind::Veth, &[]),
    ];
    let routes = default_routes.iter().map(ToString::to_string).collect();
    mark_uplinks(&mut interfaces.each_mut(), &routes);
    let uplinks = interfaces.iter().filter(|i| i.is_uplink);
    uplinks.map(|i| i.name.clone()).collect()
}

#[test]
fn uplinks_carry_a_default_route() {
    assert_eq!(uplinks(&["eth1"]), ["eth1"]);
    assert_eq!(uplinks(&["eth1", "br0"]), ["eth1", "br0"]);
}

#[test]
fn without_a_default_route_uplinks_are_the_topmost_interfaces() {
    assert_eq!(uplinks(&[]), ["eth1", "br0"]);
}

#[test]
fn a_reading_is_due_after_its_time_or_when_forced() {
    let start = Instant::now();
    let mut due = Due::every(Duration::from_secs(10));
    assert!(due.take(start, false));
    assert!(!due.take(start + Duration::from_secs(9), false));
    assert!(due.take(start + Duration::from_secs(9), true));
    assert!(!due.take(start + Duration::from_secs(18), false));
    assert!(due.take(start + Duration::from_secs(19), false));
}

#[test]
fn percentages_stay_within_bounds() {
    assert_eq!(
        [
            percent(-1.0),
            percent(50.0),
            percent(101.0),
            percent(f32::NAN)
        ],
        [0.0, 50.0, 100.0, 0.0]
    );
}
