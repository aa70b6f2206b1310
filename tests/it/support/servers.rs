//! The private servers that `make test` started. Every test takes a name of its own on them, so that none sees another's state.

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run the tests by `make test`"))
}

pub fn redis_url() -> String {
    server("MIAOSHA_REDIS_URL")
}

pub fn rabbit_url() -> String {
    server("MIAOSHA_RABBIT_URL")
}

/// Of a server on which this user may create databases called `miaosha_…`.
pub fn mysql_url() -> String {
    server("MIAOSHA_MYSQL_URL")
}

/// A name nobody else has, fit for a key prefix, a queue or a database.
pub fn unique_name() -> String {
    format!("miaosha_{:016x}", getrandom::u64().expect("the machine has a source of chance"))
}
