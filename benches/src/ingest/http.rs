//! As much of HTTP/1.1 as sending to a known server needs, so that the sender costs little.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest answer that is taken, in bytes.
const MOST: usize = 256 << 20;

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// What a server answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// Everything before the body.
    pub head: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Where nobody listens.
    pub async fn open(address: &str) -> Result<Self, String> {
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

    /// Whether the other end has not closed it, as far as is known here.
    pub fn is_open(&self) -> bool {
        let nothing = self.stream.try_read(&mut [0]);
        nothing.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// Where the connection breaks, or the answer is none.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>, String> {
        self.stream
            .write_all(request)
            .await
            .map_err(|error| format!("cannot send: {error}"))?;
        self.answer.clear();
        let length = loop {
            let read = self.stream.read_buf(&mut self.answer).await;
            if read.map_err(|error| format!("no answer: {error}"))? == 0 {
                return Err("the server closed the connection".to_owned());
            }
            if let Some(length) = head_length(&self.answer) {
                break length;
            }
            if self.answer.len() > MOST {
                return Err("the answer is too long".to_owned());
            }
        };
        let body = self.read_body(length).await?;
        let (head, rest) = self.answer.split_at(length);
        let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
        Ok(Answer {
            status: status(head).ok_or("the answer has no status")?,
            head,
            body: rest.get(..body).unwrap_or_default(),
        })
    }

    /// Reads until the body is there that the head announces; its length.
    async fn read_body(&mut self, head: usize) -> Result<usize, String> {
        let text = String::from_utf8_lossy(self.answer.get(..head).unwrap_or_default());
        let length: usize = header(&text, "content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        if length > MOST {
            return Err("the answer is too long".to_owned());
        }
        while self.answer.len() < head + length {
            let read = self.stream.read_buf(&mut self.answer).await;
            if read.map_err(|error| format!("the answer broke off: {error}"))? == 0 {
                return Err("the answer broke off".to_owned());
            }
        }
        Ok(length)
    }
}

/// A POST request.
pub fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Bytes of the head of an answer, once it is there.
fn head_length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some(end + 4)
}

fn status(head: &str) -> Option<u16> {
    head.split(' ').nth(1)?.parse().ok()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_read() {
        let answer =
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(head_length(answer), Some(answer.len() - 2));
        assert_eq!(head_length(b"HTTP/1.1 200 OK\r\n"), None);
        let head = std::str::from_utf8(answer).unwrap();
        assert_eq!(status(head), Some(503));
        assert_eq!(header(head, "retry-after"), Some("7"));
        assert_eq!(header(head, "content-length"), Some("2"));
        assert_eq!(header(head, "accept-post"), None);
    }
}
