//! As much of HTTP/1.1 as sending to a known server needs, so that the sender costs little.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest answer that is taken, in bytes.
const MOST: usize = 1 << 20;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("cannot connect to {address}: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            stream,
            answer: Vec::new(),
        })
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(request)
            .await
            .map_err(|error| format!("cannot send: {error}"))?;
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await;
            if read.map_err(|error| format!("no answer: {error}"))? == 0 {
                return Err("the server closed the connection".to_owned());
            }
            if let Some(length) = answer_length(&self.answer)
                && self.answer.len() >= length
            {
                break;
            }
            if self.answer.len() > MOST {
                return Err("the answer is too long".to_owned());
            }
        }
        let is_good = [b"HTTP/1.1 200", b"HTTP/1.1 204"]
            .iter()
            .any(|good| self.answer.starts_with(*good));
        if is_good {
            return Ok(());
        }
        Err(format!(
            "refused: {}",
            String::from_utf8_lossy(&self.answer)
        ))
    }
}

/// Bytes of the whole answer, once its head is there.
fn answer_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(answer.get(..head)?).to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    Some(head + 4 + body.unwrap_or(0))
}
