//! `bwmon-agent enrol`: takes a token of the collector and gets an identity for it.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::client::{Answer, Client};
use super::config::{CollectorUrl, Config};
use super::enrolment::{self, Enrolled, Pending};
use super::identity::{self, DataFolder};
use crate::common::enrolment::{
    ENROL_PATH, EnrolToken, Enrolment, EnrolmentRequest, MAX_TOKEN_BYTES,
};
use crate::common::errors::told;

/// Exit code where the command itself must be another one.
const USAGE: u8 = 2;
/// Exit code where trying the same once more later may help (`EX_TEMPFAIL` of sysexits.h).
const TRY_AGAIN: u8 = 75;

/// Longest time that one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the collector is asked, and the pause in between. Asking again spends nothing.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Where the token comes from.
#[derive(Debug, Clone, Args)]
pub(super) struct EnrolArguments {
    /// File that holds the token, or - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    token_file: PathBuf,
    /// Give up an enrolment with another collector
    #[arg(long)]
    replace: bool,
    /// Refused: every user of the machine can read arguments.
    #[arg(hide = true, value_name = "TOKEN")]
    token: Option<String>,
}

/// Why it came to nothing, and with that the exit code.
#[derive(Debug)]
enum Failure {
    /// It was asked for in a way that cannot be.
    Usage(anyhow::Error),
    /// The collector says no, or a file cannot be written.
    Refused(anyhow::Error),
    /// The collector does not answer, or not now.
    Later(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error)
    }
}

/// Enrols, and says as what. The code is 0 where the agent is enrolled, 2 where the command must be
/// another one, 75 where the collector could not be asked, and 1 where it refused.
pub(super) fn run(config: &Config, arguments: &EnrolArguments) -> ExitCode {
    let (error, code) = match enrol(config, arguments) {
        Ok(done) => {
            // Nobody may be listening; the enrolment stands.
            let _is_written = writeln!(io::stdout(), "{done}");
            return ExitCode::SUCCESS;
        }
        Err(Failure::Usage(error)) => (error, ExitCode::from(USAGE)),
        Err(Failure::Refused(error)) => (error, ExitCode::FAILURE),
        Err(Failure::Later(error)) => (error, ExitCode::from(TRY_AGAIN)),
    };
    // Nothing is left to do where standard error is closed.
    let _is_written = writeln!(io::stderr(), "bwmon-agent: {}", told(&error));
    code
}

fn enrol(config: &Config, arguments: &EnrolArguments) -> Result<String, Failure> {
    let token = token(arguments).map_err(Failure::Usage)?;
    let collector: CollectorUrl = format!("http://{}", token.address)
        .parse()
        .map_err(|error| Failure::Usage(anyhow!("the token's address cannot be used: {error}")))?;
    let folder = identity::first_usable(&config.data_dirs())?;
    match enrolment::read(&folder.path) {
        Ok(Some(before)) if before.token == token.id => {
            return Ok(format!("this token has {}", sentence(&before, &folder)));
        }
        Ok(Some(before)) if before.collector != collector && !arguments.replace => {
            return Err(Failure::Usage(anyhow!(
                "this agent is enrolled with {}: --replace gives that up for {collector}",
                before.collector
            )));
        }
        Ok(_) => {}
        // It cannot be used as it is, and is replaced by one that can.
        Err(error) => tracing::warn!("{error:#}"),
    }
    let pending = enrolment::pending(&folder.path, token.id, &collector)?;
    let url = config.collector.as_ref().unwrap_or(&collector);
    let enrolment = ask(url, &folder.path, &token, &pending)?;
    let enrolled = enrolment::confirm(&folder.path, pending, enrolment.agent)?;
    Ok(sentence(&enrolled, &folder))
}

fn sentence(enrolled: &Enrolled, folder: &DataFolder) -> String {
    let next = match folder.lock {
        Some(_) => "start it with `bwmon-agent`",
        None => "an agent runs with this folder: restart it, so that it reports as this one",
    };
    format!(
        "enrolled as agent {} with {}, credential in {}; {next}",
        enrolled.agent,
        enrolled.collector,
        folder.path.display()
    )
}

fn token(arguments: &EnrolArguments) -> anyhow::Result<EnrolToken> {
    if arguments.token.is_some() {
        return Err(anyhow!(
            "a token on the command line can be read by every user of this machine, and stays in the \
             shell's history: consider this one known. Print another with `bwmon-collector \
             enrol-token` and give it on standard input or in a file (--token-file)"
        ));
    }
    let path = &arguments.token_file;
    let text = if path == Path::new("-") {
        from_standard_input().context("cannot read the token from standard input")?
    } else {
        File::open(path)
            .and_then(bounded)
            .with_context(|| format!("cannot read the token file {}", path.display()))?
    };
    Ok(text.parse()?)
}

fn from_standard_input() -> io::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return bounded(stdin);
    }
    eprint!("Paste the token of `bwmon-collector enrol-token` and press Enter: ");
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(line)
}

/// Reads a little more than a token may have, so that one that is too long is seen as such.
fn bounded(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_TOKEN_BYTES).unwrap_or(u64::MAX);
    from.take(2 * limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn ask(
    url: &CollectorUrl,
    folder: &Path,
    token: &EnrolToken,
    pending: &Pending,
) -> Result<Enrolment, Failure> {
    let request = EnrolmentRequest {
        token_id: token.id,
        secret: token.secret.clone(),
        credential_sha256: pending.credential.fingerprint(),
        host_name: host_name(),
    };
    let body = serde_json::to_vec(&request).context("cannot write the request")?;
    let client = Client::new(url, PATIENCE);
    let mut tries_left = TRIES;
    loop {
        tries_left -= 1;
        match client.post(ENROL_PATH, &body) {
            Ok(answer) if answer.status == 503 && tries_left > 0 => {}
            Ok(answer) => return judge(url, folder, &answer),
            Err(error) if tries_left == 0 => {
                return Err(Failure::Later(anyhow!(
                    "cannot reach {url}: {error}. Is the collector running, and is this its address? \
                     Run the same command with the same token again: it is spent only once"
                )));
            }
            Err(_) => {}
        }
        thread::sleep(PAUSE);
    }
}

fn judge(url: &CollectorUrl, folder: &Path, answer: &Answer) -> Result<Enrolment, Failure> {
    let words = answer.words();
    match answer.status {
        200 => answer
            .json()
            .ok_or_else(|| Failure::Refused(anyhow!("{url} answers, but not as a collector does"))),
        403 => {
            enrolment::forget_pending(folder)?;
            Err(Failure::Refused(anyhow!("{url} refuses: {words}")))
        }
        429 | 500..=599 => Err(Failure::Later(anyhow!(
            "{url} does not enrol now: {words}. Run the same command with the same token again"
        ))),
        status => Err(Failure::Refused(anyhow!(
            "{url} answers {status} ({words}): is it a collector of this version?"
        ))),
    }
}

/// The name that the host gives itself; only for people to recognise it by.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}
