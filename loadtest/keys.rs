//! Keys of tokens, and what is signed with them.

use miaosha::adapters::system::SystemClock;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::admission::SaleAdmission;

pub const TOKEN_MS: i64 = 3 * 3_600_000;
/// The setting that names them.
pub const TOKEN_KEYS: &str = "MIAOSHA__TOKEN_KEYS";

pub fn chance() -> Result<u64, String> {
    getrandom::u64().map_err(|error| error.to_string())
}

/// One of each kind, and as they are written in a setting.
pub fn new_keys(label: &str) -> Result<(String, TokenKeys), String> {
    let secret = || -> Result<String, String> {
        (0..4).map(|_| chance().map(|word| format!("{word:016x}"))).collect::<Result<_, _>>()
    };
    let [access, checkout, admission] = [secret()?, secret()?, secret()?];
    let text = format!("access:{label}-a:{access},checkout:{label}-c:{checkout},admission:{label}-d:{admission}");
    let keys = TokenKeys::parse(&text).map_err(|error| error.to_string())?;
    Ok((text, keys))
}

/// A publisher refuses the keys of tokens that it has no business with.
pub fn of_a_publisher(keys: &str) -> String {
    keys.split(',').filter(|key| key.starts_with("admission:")).collect::<Vec<_>>().join(",")
}

/// A gateway of sockets alone refuses whatever signs.
pub fn of_sockets(keys: &str) -> Result<String, String> {
    let keys = TokenKeys::parse(keys).map_err(|error| error.to_string())?;
    Ok(keys.access().listed())
}

/// As a gateway would sign it, and for longer: who asks for one is another measurement.
pub fn admission(keys: &TokenKeys, buyer: BuyerId, sale: SaleId) -> String {
    let now = SystemClock::machine_now();
    keys.sign_admission(&SaleAdmission::new(buyer, sale, 0, now, now.plus_ms(TOKEN_MS)))
}
