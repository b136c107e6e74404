//! A stack of headers around a known packet: what was built is what is found.
//!
//! The bytes are a recipe: they choose the link type, where the frame is cut, and then one header after
//! the other until the packet. A recipe that ends gives an IPv4 packet.

mod captured;
mod ip;
mod media;
mod stacked;

use bwmon_core::frame::LinkType;
use bwmon_core::packet::{PacketView, Parsed, parse};

use super::packet::{check_frame, link_of};
use super::recipe::Recipe;

/// Most headers before the packet: below the number that the parser walks, as some take two steps.
const MOST_HEADERS: usize = 40;

/// A frame, and what is in it.
#[derive(Debug)]
pub struct Built {
    pub link: LinkType,
    pub frame: Vec<u8>,
    /// Names of the headers, outermost first.
    pub headers: Vec<&'static str>,
    pub expected: Parsed,
    /// Where the addresses end, if there are any.
    addresses_end: usize,
    cut: usize,
}

pub fn check(bytes: &[u8]) {
    let built = build(bytes);
    let found = parse(built.link, &built.frame);
    assert_eq!(
        found, built.expected,
        "{:?} {:02x?}",
        built.headers, built.frame
    );
    check_frame(built.link, &built.frame, built.cut);
    if let Parsed::Ip(whole) = built.expected {
        check_cut(&built, whole);
    }
}

/// The frame of a recipe.
pub fn build(bytes: &[u8]) -> Built {
    let mut recipe = Recipe::new(bytes);
    let link = link_of(recipe.byte());
    let cut = recipe.byte();
    let mut stack = Stack::new(recipe);
    let mut next = Next::Link(link);
    let mut addresses_end = 0;
    let expected = loop {
        if stack.headers.len() > MOST_HEADERS {
            stack.recipe = Recipe::new(&[]);
        }
        next = match next {
            Next::Ip(version) => {
                let packet = ip::packet(&mut stack, version);
                addresses_end = packet.addresses_end;
                break Parsed::Ip(packet.expected);
            }
            Next::NonIp(ethertype) => break Parsed::NonIp(ethertype),
            Next::Unsupported => break parse(LinkType::Unsupported(0), &[]),
            Next::Link(link) => captured::link(&mut stack, link),
            header => stacked::header(&mut stack, header),
        };
    };
    stack.finish();
    Built {
        link,
        headers: stack.headers,
        expected,
        addresses_end,
        cut: usize::from(cut) % (stack.frame.len() + 1),
        frame: stack.frame,
    }
}

/// A frame that is cut behind its addresses still has them; one that is cut before has nothing.
fn check_cut(built: &Built, whole: PacketView) {
    let told = parse(built.link, &built.frame[..built.cut]);
    match told {
        Parsed::Ip(view) => assert_eq!(view.addresses, whole.addresses),
        Parsed::Malformed(_) => {}
        Parsed::NonIp(_) => panic!("{:?} cut at {}: {told:?}", built.headers, built.cut),
    }
    let has_addresses = matches!(told, Parsed::Ip(_));
    assert_eq!(
        has_addresses,
        built.cut >= built.addresses_end,
        "{:?} cut at {} of {}: {told:?}",
        built.headers,
        built.cut,
        built.addresses_end
    );
}

/// What is written next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Link(LinkType),
    /// What stands behind this type, which is written already.
    Type(u16),
    Llc,
    /// How many bytes stand before a bridged frame.
    Snap(usize),
    Nlpid,
    Ppp,
    Mpls,
    /// 4 or 6.
    Ip(u8),
    NonIp(u16),
    Unsupported,
}

/// A frame that is being written.
#[derive(Debug)]
struct Stack<'a> {
    recipe: Recipe<'a>,
    frame: Vec<u8>,
    headers: Vec<&'static str>,
    vlan: Option<u16>,
    /// Whether radiotap said that the next 802.11 header is padded.
    pads_ieee80211: bool,
    /// Where the length of an NFLOG payload is, and whether it is big-endian.
    nflog_length: Option<(usize, bool)>,
}

impl<'a> Stack<'a> {
    fn new(recipe: Recipe<'a>) -> Self {
        Self {
            recipe,
            frame: Vec::new(),
            headers: Vec::new(),
            vlan: None,
            pads_ieee80211: false,
            nflog_length: None,
        }
    }

    fn name(&mut self, header: &'static str) {
        self.headers.push(header);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.frame.extend(bytes);
    }

    fn be16(&mut self, number: u16) {
        self.put(&number.to_be_bytes());
    }

    /// Bytes of the recipe.
    fn any<const N: usize>(&mut self) {
        let bytes = self.recipe.bytes::<N>();
        self.put(&bytes);
    }

    /// The same byte `count` times, which the recipe chooses.
    fn filler(&mut self, count: usize) {
        let byte = self.recipe.byte();
        self.frame.resize(self.frame.len() + count, byte);
    }

    fn tag(&mut self, vlan: u16) {
        self.vlan = self.vlan.or(Some(vlan & 0x0fff));
    }

    /// What follows the last header: padding, checksums, or nothing.
    fn finish(&mut self) {
        if let Some((at, is_big_endian)) = self.nflog_length {
            let length = u16::try_from(self.frame.len() - at).unwrap_or(u16::MAX);
            let bytes = if is_big_endian {
                length.to_be_bytes()
            } else {
                length.to_le_bytes()
            };
            self.frame[at..at + 2].copy_from_slice(&bytes);
        }
        let trailer = usize::from(self.recipe.below(20));
        self.filler(trailer);
    }
}
