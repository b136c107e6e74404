//! The page, embedded in release builds and read from frontend/dist at the start of others.

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// What Vite wrote. Empty where it did not.
#[derive(RustEmbed)]
#[folder = "../frontend/dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";
/// Files whose names carry a hash of what is in them.
const HASHED: &str = "assets/";

/// Every file of the page, by its exact path: no path of a request ever reaches a file system.
#[derive(Debug, Default)]
pub struct Page {
    files: HashMap<String, Asset>,
}

#[derive(Debug)]
struct Asset {
    bytes: Bytes,
    etag: HeaderValue,
    kind: &'static str,
    caching: &'static str,
}

impl Page {
    /// The page that was built with the collector; without any files where it was not.
    pub fn embedded() -> Self {
        let files = Dist::iter().filter_map(|path| {
            let bytes = match Dist::get(&path)?.data {
                std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
            };
            Some((path.into_owned(), bytes))
        });
        Self::new(files)
    }

    /// A page of these files, by path without a leading slash.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        let files = files
            .into_iter()
            .filter_map(|(path, bytes)| Some((path.clone(), Asset::new(&path, bytes)?)));
        Self {
            files: files.collect(),
        }
    }

    /// Whether there is a page.
    pub fn is_built(&self) -> bool {
        self.files.contains_key(INDEX)
    }

    /// The file at a request's path, or the page itself for a path that is none of a file. Nothing
    /// where the page was not built, or a hashed file is gone.
    pub fn respond(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let key = path.trim_start_matches('/');
        let asset = match self.files.get(key) {
            Some(asset) => asset,
            None if key.starts_with(HASHED) => return None,
            None => self.files.get(INDEX)?,
        };
        Some(asset.respond(headers))
    }
}

impl Asset {
    fn new(path: &str, bytes: Bytes) -> Option<Self> {
        let hash = Sha256::digest(&bytes);
        let digits: String = hash
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(Self {
            etag: HeaderValue::try_from(format!("W/\"{digits}\"")).ok()?,
            bytes,
            kind: media_type(path),
            caching: if path.starts_with(HASHED) {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
        })
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let is_known = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || tag.trim().as_bytes() == self.etag.as_bytes());
        let common = [
            (ETAG, self.etag.clone()),
            (CACHE_CONTROL, HeaderValue::from_static(self.caching)),
        ];
        if is_known {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = [(CONTENT_TYPE, HeaderValue::from_static(self.kind))];
        (common, kind, Body::from(self.bytes.clone())).into_response()
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page::new([
            (INDEX.to_owned(), Bytes::from_static(b"<!doctype html>")),
            ("assets/app-1a2b.js".to_owned(), Bytes::from_static(b"1")),
        ])
    }

    fn header(response: &Response, name: axum::http::HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn hashed_files_are_cached_for_ever_and_the_page_is_asked_for_anew() {
        let page = page();
        let script = page
            .respond("/assets/app-1a2b.js", &HeaderMap::new())
            .unwrap();
        assert!(header(&script, CACHE_CONTROL).contains("immutable"));
        assert_eq!(
            header(&script, CONTENT_TYPE),
            "text/javascript; charset=utf-8"
        );
        let index = page.respond("/hosts/1", &HeaderMap::new()).unwrap();
        assert_eq!(header(&index, CACHE_CONTROL), "no-cache");
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, index.headers()[ETAG].clone());
        let again = page.respond("/", &headers).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn only_exact_paths_are_files() {
        let page = page();
        for gone in ["/assets/app-0000.js", "/assets/../index.html", "/assets/"] {
            assert!(page.respond(gone, &HeaderMap::new()).is_none(), "{gone}");
        }
        let tricky = page
            .respond("/../../etc/passwd", &HeaderMap::new())
            .unwrap();
        assert_eq!(header(&tricky, CONTENT_TYPE), "text/html; charset=utf-8");
        assert!(!Page::default().is_built());
        assert!(Page::default().respond("/", &HeaderMap::new()).is_none());
    }
}
