use fastrand::Rng;

use super::flow::{Flow, Transport};

const FLOWS: u32 = 101_300;
const ZIPF_EXPONENT: f64 = 1.1;
/// Shares of the IP packets.
const FAMILIES: [(bool, f64); 2] = [(false, 80.0 / 98.0), (true, 18.0 / 98.0)];
const TRANSPORTS: [(Transport, f64); 3] = [
    (Transport::Tcp, 0.80),
    (Transport::Udp, 0.17),
    (Transport::Icmp, 0.03),
];
const TAGS: [(bool, f64); 2] = [(false, 0.95), (true, 0.05)];

/// Flows whose frequency falls with their number by Zipf's law, and what each is.
#[derive(Debug)]
pub(super) struct Mixture {
    /// Sum of the frequencies up to each flow.
    cumulated: Vec<f64>,
    classes: Vec<Class>,
}

#[derive(Debug, Clone, Copy)]
struct Class {
    is_ipv6: bool,
    transport: Transport,
    is_tagged: bool,
}

/// Frequencies that a class is to have, and what of them it does not have yet.
#[derive(Debug)]
struct Need {
    class: Class,
    share: f64,
    missing: f64,
}

impl Mixture {
    /// Gives each flow, the most frequent first, to the class of which the largest part is then still
    /// missing: so the shares hold in packets, although the first flow alone has an eighth of them,
    /// and nearly so in flows.
    pub(super) fn new() -> Self {
        let frequencies: Vec<f64> = (1..=FLOWS)
            .map(|rank| f64::from(rank).powf(-ZIPF_EXPONENT))
            .collect();
        let total: f64 = frequencies.iter().sum();
        let mut needs: Vec<Need> = classes()
            .map(|(class, share)| Need {
                class,
                share: share * total,
                missing: share * total,
            })
            .collect();
        let mut mixture = Self {
            cumulated: Vec::with_capacity(frequencies.len()),
            classes: Vec::with_capacity(frequencies.len()),
        };
        let mut sum = 0.0;
        for frequency in frequencies {
            sum += frequency;
            let part = |need: &Need| (need.missing - frequency) / need.share;
            let neediest = needs.iter_mut().max_by(|a, b| part(a).total_cmp(&part(b)));
            if let Some(need) = neediest {
                need.missing -= frequency;
                mixture.cumulated.push(sum);
                mixture.classes.push(need.class);
            }
        }
        mixture
    }

    /// A flow and its number.
    pub(super) fn draw(&self, rng: &mut Rng) -> (u32, Flow) {
        let total = self.cumulated.last().copied().unwrap_or_default();
        let at = rng.f64() * total;
        let index = self.cumulated.partition_point(|sum| *sum <= at);
        let index = index.min(self.classes.len() - 1);
        let class = self.classes.get(index).copied().unwrap_or(Class {
            is_ipv6: false,
            transport: Transport::Tcp,
            is_tagged: false,
        });
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let flow = Flow::numbered(number, class.is_ipv6, class.transport, class.is_tagged);
        (number, flow)
    }
}

fn classes() -> impl Iterator<Item = (Class, f64)> {
    FAMILIES.into_iter().flat_map(|(is_ipv6, family)| {
        TRANSPORTS.into_iter().flat_map(move |(transport, share)| {
            TAGS.into_iter().map(move |(is_tagged, tags)| {
                let class = Class {
                    is_ipv6,
                    transport,
                    is_tagged,
                };
                (class, family * share * tags)
            })
        })
    })
}
