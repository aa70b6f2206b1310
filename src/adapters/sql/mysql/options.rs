//! The database's URL: in the clear, or with TLS that proves who the server is; nothing between.

use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use url::Url;

use super::sql::fault;
use crate::adapters::tls::Endpoint;
use crate::ports::{Fault, Result};

const PART: &str = "ledger";
/// Distinct texts: some 60 statements, and of those over many rows one for each length.
const STATEMENTS_MAX: usize = 256;

/// The library's own message for a bad URL might show it. An unknown key is refused: the library would pass over `ssl_mode`,
/// and speak in the clear.
pub(super) fn options(at: &Endpoint) -> Result<MySqlConnectOptions> {
    let bad = |what: String| Fault::new(PART, format!("the database's URL {what}"));
    let url = Url::parse(&at.url).map_err(|_| bad("is none".to_owned()))?;
    if url.scheme() != "mysql" || url.host_str().is_none_or(str::is_empty) {
        return Err(bad("is not of the form mysql://user:password@host:port/database".to_owned()));
    }
    let mut asked = None;
    for (key, value) in url.query_pairs() {
        let asks = match (&*key, value.to_ascii_lowercase().as_str()) {
            ("ssl-mode", "verify_identity") => true,
            ("ssl-mode", "disabled") => false,
            ("ssl-mode", _) => {
                return Err(bad("has an ssl-mode other than verify_identity or disabled: \
                    without a proof of identity TLS protects nothing"
                    .to_owned()));
            }
            ("ssl-ca" | "sslca", _) => return Err(bad("has ssl-ca: issuers are named by tls.ca_file".to_owned())),
            _ => return Err(bad(format!("has the key {key:?}, and only ssl-mode is known"))),
        };
        if asked.replace(asks).is_some_and(|before| before != asks) {
            return Err(bad("asks for TLS and for none".to_owned()));
        }
    }
    let trust = at.trust(PART, asked == Some(true))?;
    let options = MySqlConnectOptions::from_str(&at.url).map_err(fault)?.statement_cache_capacity(STATEMENTS_MAX);
    Ok(match trust {
        None => options.ssl_mode(MySqlSslMode::Disabled),
        Some(trust) => {
            let options = options.ssl_mode(MySqlSslMode::VerifyIdentity);
            match trust.extra() {
                Some(extra) => options.ssl_ca_from_pem(extra.as_bytes().to_vec()),
                None => options,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_told_how_many_statements_it_keeps() {
        let at = Endpoint::from("mysql://user@host/shop".to_owned());
        let told = format!("{:?}", options(&at).unwrap());
        assert!(told.contains("statement_cache_capacity: 256,"), "{told}");
    }
}
