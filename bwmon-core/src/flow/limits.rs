/// How much a [`FlowTable`](super::FlowTable) may hold. Whichever bound is met first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most flows that are told apart at a time.
    pub flows: usize,
    /// Most bytes of memory for flows: 120 for one over IPv4, 184 over IPv6, with the index, also while
    /// that grows, and with what a clean-up needs. Up to 128 KiB for blocks that are not full and for the least
    /// index come on top.
    pub bytes: usize,
}

impl Limits {
    /// At most `flows` flows, whatever memory they take.
    pub const fn flows(flows: usize) -> Self {
        Self {
            flows,
            bytes: usize::MAX,
        }
    }

    /// As many flows as `bytes` bytes of memory hold.
    pub const fn bytes(bytes: usize) -> Self {
        Self {
            flows: usize::MAX,
            bytes,
        }
    }
}

impl Default for Limits {
    /// 65,536 flows.
    fn default() -> Self {
        Self::flows(65_536)
    }
}
