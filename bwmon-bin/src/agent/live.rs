//! Frames of live interfaces, for the commands that show traffic themselves.

use bwmon_core::collector::CollectError;
use bwmon_core::report::CaptureMethod;

use super::config::RingBytes;
use super::ladder::{Open, Source};
use super::sources::Sources;

/// An open capture, and how it is done.
#[derive(Debug)]
pub(super) struct Live {
    /// Where the frames come from.
    pub(super) source: Source,
    /// Through what.
    pub(super) method: CaptureMethod,
}

/// Captures on the interfaces called `names`, on all where none is named: through a packet ring,
/// else through libpcap where this build has it.
///
/// # Errors
/// Why the packet ring is refused: without the right to capture with the command that grants it,
/// for a name that no interface has with those that exist.
pub(super) fn open(names: &[String]) -> Result<Live, CollectError> {
    open_with(&mut Sources::new(RingBytes::default()), names)
}

fn open_with(opener: &mut impl Open, names: &[String]) -> Result<Live, CollectError> {
    let refusal = match open_by(opener, CaptureMethod::AfPacket, names) {
        Ok(live) => return Ok(live),
        Err(refusal) => refusal,
    };
    if opener.is_known(CaptureMethod::Libpcap)
        && let Ok(live) = open_by(opener, CaptureMethod::Libpcap, names)
    {
        return Ok(live);
    }
    Err(refusal)
}

fn open_by(
    opener: &mut impl Open,
    method: CaptureMethod,
    names: &[String],
) -> Result<Live, CollectError> {
    let source = opener.open(method, names)?;
    Ok(Live { source, method })
}

#[cfg(test)]
mod tests {
    use bwmon_core::collector::CollectErrorKind;

    use super::super::doubles::Doubles;
    use super::*;

    /// A build that has libpcap.
    #[derive(Debug)]
    struct WithLibpcap(Doubles);

    impl Open for WithLibpcap {
        fn is_known(&self, _method: CaptureMethod) -> bool {
            true
        }

        fn open(
            &mut self,
            method: CaptureMethod,
            names: &[String],
        ) -> Result<Source, CollectError> {
            self.0.open(method, names)
        }
    }

    fn method(opener: &mut impl Open) -> Result<CaptureMethod, CollectErrorKind> {
        let opened = open_with(opener, &["eth0".to_owned()]);
        opened.map(|live| live.method).map_err(|error| error.kind())
    }

    #[test]
    fn the_packet_ring_comes_first_and_libpcap_second() {
        let without_ring =
            || Doubles::default().refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission);
        assert_eq!(
            method(&mut WithLibpcap(Doubles::default())),
            Ok(CaptureMethod::AfPacket)
        );
        assert_eq!(
            method(&mut WithLibpcap(without_ring())),
            Ok(CaptureMethod::Libpcap)
        );
        assert_eq!(
            method(&mut without_ring()),
            Err(CollectErrorKind::Permission)
        );
    }

    #[test]
    fn why_the_ring_is_refused_is_told_before_why_libpcap_is() {
        let refusing = Doubles::default()
            .refusing(CaptureMethod::AfPacket, CollectErrorKind::Permission)
            .refusing(CaptureMethod::Libpcap, CollectErrorKind::Other);
        assert_eq!(
            method(&mut WithLibpcap(refusing)),
            Err(CollectErrorKind::Permission)
        );
    }
}
