//! A suite that cannot fail is worth nothing: each law is broken once here.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::alert::{
    Finding, Findings, Needs, RuleContext, RuleDescription, Threshold, ThresholdMetric,
};
use crate::collector::{CollectError, Losses, Progress};
use crate::packet::{Parsed, parse};
use crate::report::{AgentId, Batch, CaptureLoss, Epoch, Fate, Receipt, RecordKey};
use crate::sink::{SinkCapability, SinkError};
use crate::{AlertRule, Collector, Observer, Sink};

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Which law a [`Faulty`] sink breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    Forgets,
    OneFateTooMany,
    CountsTwice,
    DiesWhenCancelled,
    Cuts,
    LosesOnClose,
    Tells,
}

#[derive(Debug, Clone)]
struct Faulty {
    fault: Fault,
    stored: Arc<std::sync::Mutex<Vec<(AgentId, RecordKey)>>>,
    last: Option<String>,
    pending: Vec<(AgentId, RecordKey)>,
    is_dead: bool,
}

#[async_trait]
impl Sink for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn capability(&self) -> SinkCapability {
        let capability = SinkCapability::with_max_batch(8).deduplicating().readable();
        match self.fault {
            Fault::LosesOnClose => capability,
            _ => capability.durable(),
        }
    }

    async fn write(&mut self, batch: &Batch) -> Result<Receipt, SinkError> {
        let len = batch.entries.len();
        if len > 8 && self.fault != Fault::Cuts {
            return Err(SinkError::too_large(len, 8));
        }
        if self.fault == Fault::DiesWhenCancelled {
            assert!(!std::mem::replace(&mut self.is_dead, true), "law 4: dead");
            let mut is_first = true;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                match std::mem::replace(&mut is_first, false) {
                    true => Poll::Pending,
                    false => Poll::Ready(()),
                }
            })
            .await;
            self.is_dead = false;
        }
        let mut fates = Vec::new();
        for entry in &batch.entries {
            let key = (entry.agent, entry.record.key());
            let mut stored = self.stored.lock().unwrap();
            if stored.contains(&key) && self.fault != Fault::CountsTwice {
                fates.push(Fate::Duplicate);
                continue;
            }
            match self.fault {
                Fault::Forgets => {}
                Fault::LosesOnClose => self.pending.push(key),
                _ => stored.push(key),
            }
            fates.push(Fate::Stored);
        }
        if self.fault == Fault::OneFateTooMany {
            fates.push(Fate::Stored);
        }
        if self.fault == Fault::Tells {
            self.last = batch.entries.last().map(|entry| format!("{entry:?}"));
        }
        Ok(Receipt::new(fates))
    }

    async fn close(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

fn suite(fault: Fault) -> sink::Verdict {
    let places = Arc::new(std::sync::Mutex::new(std::collections::HashMap::new()));
    let opened = Arc::clone(&places);
    let open = move |place: u32| {
        let stored = Arc::clone(opened.lock().unwrap().entry(place).or_default());
        let sink: Box<dyn Sink> = Box::new(Faulty {
            fault,
            stored,
            last: None,
            pending: Vec::new(),
            is_dead: false,
        });
        std::future::ready(sink)
    };
    let read = move |place: u32| {
        let stored = Arc::clone(places.lock().unwrap().entry(place).or_default());
        std::future::ready(stored.lock().unwrap().clone())
    };
    block_on(sink::conformance(sink::Subject::new(open).reading(read)))
}

#[test]
fn each_broken_law_of_a_sink_is_named() {
    assert_eq!(suite(Fault::None).sink, "faulty");
    for (fault, law) in [
        (Fault::Forgets, "law 1"),
        (Fault::OneFateTooMany, "law 2"),
        (Fault::CountsTwice, "law 3"),
        (Fault::DiesWhenCancelled, "law 4"),
        (Fault::Cuts, "law 5"),
        (Fault::LosesOnClose, "law 7"),
        (Fault::Tells, "law 8"),
    ] {
        let broken = std::panic::catch_unwind(|| suite(fault)).unwrap_err();
        let text = broken.downcast_ref::<String>().cloned();
        let text = text.or_else(|| broken.downcast_ref::<&str>().map(ToString::to_string));
        let text = text.unwrap();
        assert!(text.contains(law), "{fault:?} gave: {text}");
    }
}

#[test]
fn the_scripted_sink_keeps_the_laws() {
    let scripts: Vec<Script> = (0..16).map(|_| Script::new()).collect();
    let open = |place: u32| {
        let script = scripts[place as usize].clone();
        let sink: Box<dyn Sink> = Box::new(ScriptedSink::new(script, 3));
        std::future::ready(sink)
    };
    let read = |place: u32| std::future::ready(scripts[place as usize].keys());
    block_on(sink::conformance(sink::Subject::new(open).reading(read)));
}

#[derive(Debug)]
enum Source {
    Good(u64),
    EndlesslyBusy,
    ResetsLosses(u64),
    ComesBack(u64),
}

impl Collector for Source {
    fn name(&self) -> &'static str {
        "source"
    }

    fn collect(
        &mut self,
        _budget: Duration,
        into: &mut dyn Observer,
    ) -> Result<Progress, CollectError> {
        match self {
            Self::Good(round) | Self::ResetsLosses(round) | Self::ComesBack(round) => {
                *round += 1;
                into.sample(SAMPLE_START, crate::sample::HostSample::default());
            }
            Self::EndlesslyBusy => {}
        }
        Ok(match self {
            Self::Good(_) | Self::ResetsLosses(_) => Progress::Idle,
            Self::ComesBack(_) => Progress::Ended,
            Self::EndlesslyBusy => Progress::Busy,
        })
    }

    fn losses(&self) -> Losses {
        let received = match self {
            Self::Good(round) => *round,
            Self::ResetsLosses(round) => round % 3,
            Self::ComesBack(_) | Self::EndlesslyBusy => 0,
        };
        let source = CaptureLoss {
            received,
            ..CaptureLoss::default()
        };
        Losses {
            sources: vec![source],
        }
    }
}

#[test]
fn a_good_collector_passes_and_shows_what_it_delivered() {
    let observed = collector::conformance(Box::new(Source::Good(0)), 10);
    assert_eq!(observed.samples.len(), 10);
}

#[test]
#[should_panic(expected = "law 2: source says `Busy` for ever")]
fn a_collector_that_is_busy_for_ever_is_found() {
    collector::conformance(Box::new(Source::EndlesslyBusy), 1_000);
}

#[test]
#[should_panic(expected = "law 2: source said that it had ended")]
fn a_collector_that_goes_on_after_its_end_is_found() {
    collector::conformance(Box::new(Source::ComesBack(0)), 10);
}

#[test]
#[should_panic(expected = "law 4")]
fn a_collector_that_forgets_losses_is_found() {
    collector::conformance(Box::new(Source::ResetsLosses(0)), 10);
}

#[test]
fn the_built_in_rules_keep_the_laws() {
    for metric in [
        ThresholdMetric::CpuPercent,
        ThresholdMetric::MemoryPercent,
        ThresholdMetric::DiskPercent,
        ThresholdMetric::LinkPercent,
    ] {
        rule::conformance(&Threshold::new("t", metric, 1.0), &[interval()]);
    }
}

/// Judges what it does not need, or twice, or what is not there.
#[derive(Debug, Clone, Copy)]
enum BadRule {
    ReadsFlows,
    Twice,
    Always,
}

impl AlertRule for BadRule {
    fn id(&self) -> &'static str {
        "bad"
    }

    fn describe(&self) -> RuleDescription {
        RuleDescription {
            title: "bad".to_owned(),
            detail: String::new(),
        }
    }

    fn needs(&self) -> Needs {
        Needs::HOST
    }

    fn evaluate(&self, context: &RuleContext<'_>, out: &mut Findings) {
        let times = match self {
            Self::ReadsFlows if context.interval.host.is_some() => context.interval.flows.len(),
            Self::ReadsFlows => 0,
            Self::Twice => 2 * usize::from(context.interval.host.is_some()),
            Self::Always => 1,
        };
        for _ in 0..times {
            out.push(Finding {
                subject: String::new(),
                is_firing: true,
                value: 1.0,
                limit: 1.0,
            });
        }
    }
}

#[test]
#[should_panic(expected = "law 4")]
fn a_rule_that_reads_more_than_it_needs_is_found() {
    rule::conformance(&BadRule::ReadsFlows, &[interval()]);
}

#[test]
#[should_panic(expected = "law 2")]
fn a_rule_that_names_a_subject_twice_is_found() {
    rule::conformance(&BadRule::Twice, &[interval()]);
}

#[test]
#[should_panic(expected = "law 3")]
fn a_rule_that_judges_what_was_not_measured_is_found() {
    rule::conformance(&BadRule::Always, &[interval()]);
}

#[test]
fn built_frames_parse_to_what_they_were_built_of() {
    let v4 = (([10, 0, 0, 1], 1_234), ([10, 0, 0, 2], 443));
    let v6 = (
        ([0xfd, 0, 0, 0, 0, 0, 0, 1], 53),
        ([0xfd, 0, 0, 0, 0, 0, 0, 2], 5_353),
    );
    let tcp = FrameBuilder::tcp(v4.0, v4.1)
        .tcp_flags(0x02)
        .vlan(7)
        .vlan(8)
        .payload(100);
    let bytes = tcp.build();
    assert_eq!(bytes.len(), 14 + 8 + 20 + 20 + 100);
    let Parsed::Ip(view) = parse(crate::frame::LinkType::Ethernet, &bytes) else {
        panic!("not IP")
    };
    assert_eq!(
        (view.protocol, view.tcp_flags, view.vlan),
        (6, 0x02, Some(7))
    );
    assert_eq!(view.ports, Some((1_234, 443)));

    let udp = FrameBuilder::udp(v6.0, v6.1).without_link_header().build();
    assert_eq!(udp.len(), 40 + 8);
    let Parsed::Ip(view) = parse(crate::frame::LinkType::RawIp, &udp) else {
        panic!("not IP")
    };
    assert_eq!((view.protocol, view.ports), (17, Some((53, 5_353))));
}

#[test]
fn the_sample_closes_the_identity_of_bytes() {
    let interface = interval().interfaces.remove(0);
    let (kernel, conservation) = (interface.kernel.unwrap(), interface.conservation.unwrap());
    for (kernel, side) in [
        (kernel.ingress, conservation.ingress),
        (kernel.egress, conservation.egress),
    ] {
        let sum = side.terms.captured().bytes as i64 + side.residual_bytes.unwrap();
        assert_eq!(sum, kernel.bytes as i64);
    }
    assert_eq!(
        record(2).body,
        envelope(AgentId(1), Epoch(2), 2).record.body
    );
}

#[test]
fn a_manual_clock_moves_only_when_told() {
    let clock = ManualClock::new(SAMPLE_START);
    let same = clock.clone();
    clock.advance(Duration::from_secs(3));
    assert_eq!(same.now(), SAMPLE_START.plus(Duration::from_secs(3)));
    same.set(SAMPLE_START);
    assert_eq!(clock.now(), SAMPLE_START);
}
