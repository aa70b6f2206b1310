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

/// Of a copy of that server, which follows databases called `miaosha_replica_…`; this user may only read.
pub fn mysql_replica_url() -> String {
    server("MIAOSHA_MYSQL_REPLICA_URL")
}

/// The state file that names the servers' folders.
pub fn facts() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(server("MIAOSHA_SERVERS")).unwrap()).unwrap()
}

/// A name that is used nowhere else, fit for a key prefix, a queue or a database.
pub fn unique_name() -> String {
    format!("miaosha_{:016x}", getrandom::u64().expect("the machine has a source of chance"))
}

/// The servers that speak TLS, and the folder with their certificates.
pub struct Tls {
    pub folder: std::path::PathBuf,
    pub redis_url: String,
    pub rabbit_url: String,
    pub mysql_url: String,
}

pub fn tls() -> Tls {
    let folder = std::path::PathBuf::from(server("MIAOSHA_TLS"));
    let told = std::fs::read_to_string(folder.join("state.env")).unwrap();
    let url = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name} is not told")).trim_matches('\'').to_owned()
    };
    let [redis_url, rabbit_url, mysql_url] = ["MIAOSHA_REDIS_URL", "MIAOSHA_RABBIT_URL", "MIAOSHA_MYSQL_URL"].map(url);
    Tls { folder: folder.join("tls"), redis_url, rabbit_url, mysql_url }
}

impl Tls {
    /// A file of the certificates' folder.
    pub fn pem(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }
}
