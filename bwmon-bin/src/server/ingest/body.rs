use std::fmt::Display;
use std::future::poll_fn;
use std::io::Read;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use axum::body::{Bytes, HttpBody as Body};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;

use crate::server::problem::{ApiError, ApiResult};

/// Largest body as sent, in bytes.
pub const ENCODED_LIMIT: usize = 1024 * 1024;
/// Largest body after decompression, in bytes.
pub const DECODED_LIMIT: usize = 8 * 1024 * 1024;
/// Longest pause within a body.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// Longest time that a whole body may take.
const TOTAL_LIMIT: Duration = Duration::from_secs(30);
/// Largest window of a zstd frame that is taken, as a power of two: that of the output's limit.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Encoding {
    /// The encoding that the headers name.
    ///
    /// # Errors
    /// 415 for any other than those that are taken.
    pub fn of(headers: &HeaderMap) -> ApiResult<Self> {
        let Some(value) = headers.get(CONTENT_ENCODING) else {
            return Ok(Self::Identity);
        };
        match value.to_str().unwrap_or_default().trim() {
            name if name.eq_ignore_ascii_case("identity") => Ok(Self::Identity),
            name if name.eq_ignore_ascii_case("gzip") => Ok(Self::Gzip),
            name if name.eq_ignore_ascii_case("zstd") => Ok(Self::Zstd),
            _ => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "this content encoding is not read; send identity, gzip or zstd",
            )),
        }
    }

    /// Undoes the compression.
    ///
    /// # Errors
    /// 413 where the result is over [`DECODED_LIMIT`], 400 where the compressed data is broken.
    pub fn decode(self, body: Bytes) -> ApiResult<Bytes> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => read_limited(flate2::read::MultiGzDecoder::new(body.as_ref())),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body.as_ref())
                    .map_err(|error| broken(&error))?;
                decoder
                    .window_log_max(ZSTD_WINDOW_LOG)
                    .map_err(|error| broken(&error))?;
                read_limited(decoder)
            }
        }
    }
}

fn read_limited(decoder: impl Read) -> ApiResult<Bytes> {
    let mut decoded = Vec::new();
    let limit = u64::try_from(DECODED_LIMIT).unwrap_or(u64::MAX);
    decoder
        .take(limit + 1)
        .read_to_end(&mut decoded)
        .map_err(|error| broken(&error))?;
    if decoded.len() > DECODED_LIMIT {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the body is over {DECODED_LIMIT} bytes after decompression; send fewer records at \
                 once"
            ),
        ));
    }
    Ok(decoded.into())
}

fn broken(error: &std::io::Error) -> ApiError {
    ApiError::bad_request(format!("the compressed body is broken: {error}"))
}

/// What the bodies of all deliveries under way may take together.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    used: AtomicUsize,
    most: usize,
}

/// A share of the budget, given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::of(Self::BYTES)
    }
}

impl MemoryBudget {
    /// All of it, in bytes.
    pub const BYTES: usize = 128 << 20;

    fn of(most: usize) -> Self {
        Self(Arc::new(Budget {
            used: AtomicUsize::new(0),
            most,
        }))
    }

    /// What is in use, in bytes.
    pub fn used(&self) -> usize {
        self.0.used.load(Relaxed)
    }

    /// A share of nothing yet.
    pub fn share(&self) -> Share {
        Share {
            budget: Arc::clone(&self.0),
            bytes: 0,
        }
    }
}

impl Share {
    /// How much it is, in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    /// 503 where the budget is used up.
    pub fn grow(&mut self, bytes: usize) -> ApiResult<()> {
        let grown = |used: usize| {
            let grown = used.checked_add(bytes)?;
            (grown <= self.budget.most).then_some(grown)
        };
        self.budget
            .used
            .fetch_update(Relaxed, Relaxed, grown)
            .map_err(|_| ApiError::busy("too many deliveries are under way; send again", 1))?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Relaxed);
    }
}

/// Reads a body as it was sent, within its limits of size and time.
///
/// # Errors
/// 413 over [`ENCODED_LIMIT`], 408 where the sender is too slow, 503 where too much is under way,
/// 400 where the connection broke.
pub async fn read<B>(
    headers: &HeaderMap,
    body: B,
    budget: &MemoryBudget,
) -> ApiResult<(Bytes, Share)>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    if announced > ENCODED_LIMIT {
        return Err(too_large());
    }
    let mut share = budget.share();
    // Nearly every body is there already, and needs no timer.
    let done = {
        let mut collecting = pin!(collect(body, &mut share));
        match poll_once(collecting.as_mut()).await {
            Some(done) => done,
            None => tokio::time::timeout(TOTAL_LIMIT, collecting)
                .await
                .map_err(|_| too_slow())?,
        }
    };
    Ok((done?, share))
}

/// What a future comes to, if it comes to something at once.
async fn poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    poll_fn(|cx| match Pin::new(&mut future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn collect<B>(mut body: B, share: &mut Share) -> ApiResult<Bytes>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let mut collected = Vec::new();
    loop {
        let frame = match poll_once(body.frame()).await {
            Some(frame) => frame,
            None => tokio::time::timeout(IDLE_LIMIT, body.frame())
                .await
                .map_err(|_| too_slow())?,
        };
        let Some(frame) = frame else {
            return Ok(collected.into());
        };
        let frame =
            frame.map_err(|error| ApiError::bad_request(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if collected.len() + data.len() > ENCODED_LIMIT {
            return Err(too_large());
        }
        share.grow(data.len())?;
        if collected.is_empty() && body.is_end_stream() {
            // Nearly every body is one frame, which need not be copied.
            return Ok(data);
        }
        collected.extend_from_slice(&data);
    }
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is over {ENCODED_LIMIT} bytes; send fewer records at once, or compress"),
    )
}

fn too_slow() -> ApiError {
    ApiError::new(
        StatusCode::REQUEST_TIMEOUT,
        "the body took too long to arrive; send again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn compressed_bodies_are_read_up_to_the_limit_and_no_further() {
        let fits = vec![b' '; DECODED_LIMIT];
        let over = vec![b' '; DECODED_LIMIT + 1];
        let zstd = |data: &[u8]| Bytes::from(zstd::encode_all(data, 1).unwrap());
        assert_eq!(
            Encoding::Gzip.decode(gzip(&fits)).unwrap().len(),
            DECODED_LIMIT
        );
        assert_eq!(
            Encoding::Zstd.decode(zstd(&fits)).unwrap().len(),
            DECODED_LIMIT
        );
        for result in [
            Encoding::Gzip.decode(gzip(&over)),
            Encoding::Zstd.decode(zstd(&over)),
        ] {
            assert_eq!(result.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
    }

    #[test]
    fn broken_compression_is_a_bad_request() {
        let cut = gzip(&[1; 1000]);
        for result in [
            Encoding::Gzip.decode(cut.slice(..cut.len() - 4)),
            Encoding::Gzip.decode(Bytes::from_static(b"{}")),
            Encoding::Zstd.decode(Bytes::from_static(b"{}")),
        ] {
            assert_eq!(result.unwrap_err().status(), StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn the_budget_is_given_back() {
        let budget = MemoryBudget::of(2048);
        let mut share = budget.share();
        share.grow(1).unwrap();
        share.grow(1023).unwrap();
        share.grow(1024).unwrap();
        assert!(budget.share().grow(1).is_err());
        assert_eq!((budget.used(), share.bytes()), (2048, 2048));
        drop(share);
        assert!(budget.share().grow(2048).is_ok());
    }
}
