//! One round: a few probes of each target, and what came back.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::socket::{Echo, Token, begin_connection, was_answered};
use super::{MAX_PROBES, PingConfig, PingTarget};
use crate::report::{ProbeKind, ProbeResult};

#[derive(Debug)]
pub(super) struct Round {
    started: Instant,
    probes: u16,
    spacing: Duration,
    timeout: Duration,
    token: Token,
    /// Absent where the system permits no ICMP of that family.
    v4: Option<Echo>,
    v6: Option<Echo>,
    courses: Vec<Course>,
}

/// What became of one target's probes.
#[derive(Debug)]
struct Course {
    target: PingTarget,
    kind: ProbeKind,
    sent: u16,
    under_way: Vec<Probe>,
    round_trips: Vec<Duration>,
}

#[derive(Debug)]
struct Probe {
    number: u16,
    at: Instant,
    /// Of a TCP connection.
    connection: Option<OwnedFd>,
}

impl Round {
    pub(super) fn new(config: &PingConfig, targets: &[PingTarget], now: Instant) -> Self {
        let random = RandomState::new().hash_one(targets);
        let [a, b, ..] = random.to_ne_bytes();
        let id = u16::from_ne_bytes([a, b]);
        let is_wanted = |v6| targets.iter().any(|target| target.address.is_ipv6() == v6);
        let echo = |v6| is_wanted(v6).then(|| Echo::open(v6, id).ok()).flatten();
        let (v4, v6) = (echo(false), echo(true));
        let course = |target: &PingTarget| Course {
            target: *target,
            kind: match (target.address.is_ipv6(), &v4, &v6) {
                (false, Some(_), _) | (true, _, Some(_)) => ProbeKind::Icmp,
                _ => ProbeKind::TcpConnect,
            },
            sent: 0,
            under_way: Vec::new(),
            round_trips: Vec::new(),
        };
        Self {
            started: now,
            probes: config.probes.clamp(1, MAX_PROBES),
            spacing: config.spacing,
            timeout: config.timeout,
            token: random.to_ne_bytes(),
            courses: targets.iter().map(course).collect(),
            v4,
            v6,
        }
    }

    /// Goes on until the round is over or `end` has come; whether it is over.
    pub(super) fn advance(&mut self, end: Instant) -> bool {
        loop {
            let now = Instant::now();
            self.send_due(now);
            self.receive();
            self.give_up(Instant::now());
            let Some(next) = self.next_event() else {
                return true;
            };
            if Instant::now() >= end {
                return false;
            }
            self.wait(next.min(end));
        }
    }

    pub(super) fn results(&self) -> impl Iterator<Item = ProbeResult> {
        self.courses.iter().map(Course::result)
    }

    fn send_due(&mut self, now: Instant) {
        for (index, course) in (0..).zip(&mut self.courses) {
            while course.sent < self.probes
                && now >= self.started + self.spacing * course.sent.into()
            {
                let echo = match course.target.address.is_ipv6() {
                    false => self.v4.as_ref(),
                    true => self.v6.as_ref(),
                };
                course.send(index * self.probes + course.sent, echo, self.token);
            }
        }
    }

    fn receive(&mut self) {
        for echo in [&self.v4, &self.v6].into_iter().flatten() {
            while let Some((from, number)) = echo.receive(self.token) {
                let now = Instant::now();
                let course = self.courses.get_mut(usize::from(number / self.probes));
                if let Some(course) = course.filter(|course| course.target.address == from) {
                    course.answered(number, now);
                }
            }
        }
        for course in &mut self.courses {
            course.look_at_connections();
        }
    }

    fn give_up(&mut self, now: Instant) {
        for course in &mut self.courses {
            course
                .under_way
                .retain(|probe| now < probe.at + self.timeout);
        }
    }

    /// When something has to be done, if nothing comes back before; `None` when nothing is left to do.
    fn next_event(&self) -> Option<Instant> {
        let next = |course: &Course| {
            let send = (course.sent < self.probes)
                .then(|| self.started + self.spacing * course.sent.into());
            let first = course
                .under_way
                .first()
                .map(|probe| probe.at + self.timeout);
            [send, first].into_iter().flatten().min()
        };
        self.courses.iter().filter_map(next).min()
    }

    /// Until something came back, or `until`.
    fn wait(&self, until: Instant) {
        let echoes = [&self.v4, &self.v6].into_iter().flatten();
        let mut fds: Vec<PollFd<'_>> = echoes
            .map(|echo| PollFd::from_borrowed_fd(echo.as_fd(), PollFlags::IN))
            .collect();
        for probe in self.courses.iter().flat_map(|course| &course.under_way) {
            if let Some(connection) = &probe.connection {
                fds.push(PollFd::new(connection, PollFlags::OUT));
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        // Interrupted or not: what there is to do is looked at anew.
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
    }
}

impl Course {
    /// Sends the next probe. One that cannot be sent is lost like one without an answer.
    fn send(&mut self, number: u16, echo: Option<&Echo>, token: Token) {
        let at = Instant::now();
        self.sent += 1;
        let PingTarget { address, port } = self.target;
        let begun = match (self.kind, echo) {
            (ProbeKind::Icmp, Some(echo)) => echo.send(address, number, token).map(|()| None),
            _ => begin_connection(SocketAddr::new(address, port)).map(Some),
        };
        if let Ok(connection) = begun {
            self.under_way.push(Probe {
                number,
                at,
                connection,
            });
        }
    }

    fn answered(&mut self, number: u16, now: Instant) {
        let found = self
            .under_way
            .iter()
            .position(|probe| probe.number == number);
        if let Some(at) = found {
            let probe = self.under_way.remove(at);
            self.round_trips
                .push(now.saturating_duration_since(probe.at));
        }
    }

    fn look_at_connections(&mut self) {
        let now = Instant::now();
        let ended = |probe: &Probe| {
            let connection = probe.connection.as_ref()?;
            is_ready(connection).then(|| was_answered(connection))
        };
        let round_trips = &mut self.round_trips;
        self.under_way.retain(|probe| {
            let end = ended(probe);
            if end == Some(true) {
                round_trips.push(now.saturating_duration_since(probe.at));
            }
            end.is_none()
        });
    }

    fn result(&self) -> ProbeResult {
        let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let answers = u32::try_from(self.round_trips.len()).unwrap_or(u32::MAX);
        let sum: Duration = self.round_trips.iter().sum();
        ProbeResult {
            target: self.target.address,
            kind: self.kind,
            sent: self.sent.into(),
            lost: u32::from(self.sent).saturating_sub(answers),
            min_us: self.round_trips.iter().min().copied().map(micros),
            mean_us: sum.checked_div(answers).map(micros),
            max_us: self.round_trips.iter().max().copied().map(micros),
        }
    }
}

/// Whether a connection came to an end, good or bad.
fn is_ready(connection: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(connection, PollFlags::OUT)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    matches!(poll(&mut fds, Some(&now)), Ok(count) if count > 0)
}
