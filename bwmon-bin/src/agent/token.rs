//! The token that a collector asks for.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail};
use bwmon_sinks::Secret;

/// Longest token file, in bytes.
const MAX_BYTES: u64 = 4_096;

/// Reads the token, without the white space around it. No message shows any of it.
pub(super) fn read(path: &Path) -> anyhow::Result<Secret> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot read the token file {name}"))?;
    warn_if_others_can_read(path, &file);
    let mut text = String::new();
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read the token file {name}"))?;
    let token = text.trim();
    if text.len() as u64 > MAX_BYTES {
        bail!("the token file {name} is longer than {MAX_BYTES} bytes: is it the right one?");
    }
    if token.is_empty() {
        bail!("the token file {name} is empty: write the collector's token into it");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("the token file {name} holds more than one word of visible ASCII: write one token");
    }
    Ok(Secret::new(token))
}

fn warn_if_others_can_read(path: &Path, file: &File) {
    let mode = file.metadata().map_or(0, |metadata| metadata.mode());
    if mode & 0o077 != 0 {
        let name = path.display();
        tracing::warn!("others can read the token file {name}; mend it with: chmod 600 {name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_cut_and_nothing_of_a_bad_token_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, " geheim-1\n").unwrap();
        assert_eq!(read(&path).unwrap().expose(), "geheim-1");
        for bad in [
            "",
            " \n",
            "geheim zwei",
            "geheim\nzwei",
            &"geheim".repeat(1_000),
        ] {
            std::fs::write(&path, bad).unwrap();
            let message = format!("{:#}", read(&path).unwrap_err());
            assert!(
                message.contains("token file") && !message.contains("geheim"),
                "{message}"
            );
        }
    }
}
