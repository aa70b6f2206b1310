//! A Cluster world of one row of the table: a namespace and a database of its own on the servers that the environment names,
//! so that no row finds what another left.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::sale::recording::Recording;
use serde_json::json;
use sqlx::{Connection, MySqlConnection};

use super::parts::{Cores, Env, Part, command, free_address, sibling};
use crate::client::Client;
use crate::keys::{TOKEN_KEYS, admission, chance, new_keys};
use crate::offer::{OPERATOR, Offer};

pub const HOUR_MS: i64 = 3_600_000;
const HEARD_WAIT_MAX: Duration = Duration::from_secs(20);
pub const PARTITIONS: u16 = 4;
/// A publisher is measured without a consumer, and the queue must not be what limits it.
const QUEUE_MESSAGES_MAX: u64 = 5_000_000;

pub struct World {
    pub env: Env,
    pub keys: TokenKeys,
    pub mysql_url: String,
    rabbit_url: String,
    namespace: String,
}

pub fn url_of(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} names no server; `make bench` starts them"))
}

impl World {
    pub async fn new() -> Result<Self, String> {
        let name = format!("miaosha_bench_{:08x}", chance()? as u32);
        let (redis_url, rabbit_url) = (url_of("MIAOSHA_REDIS_URL")?, url_of("MIAOSHA_RABBIT_URL")?);
        let mysql_url = create_database(&url_of("MIAOSHA_MYSQL_URL")?, &name).await?;
        let (keys_text, keys) = new_keys("bench")?;
        let env = [
            ("MIAOSHA__REDIS__URL", redis_url),
            ("MIAOSHA__RABBIT__URL", rabbit_url.clone()),
            ("MIAOSHA__RABBIT__PARTITIONS", PARTITIONS.to_string()),
            ("MIAOSHA__RABBIT__QUEUE_MESSAGES_MAX", QUEUE_MESSAGES_MAX.to_string()),
            ("MIAOSHA__MYSQL__URL", mysql_url.clone()),
            ("MIAOSHA__NAMESPACE", name.clone()),
            ("MIAOSHA__PAYMENTS__SANDBOX", "true".to_owned()),
            (TOKEN_KEYS, keys_text),
            ("MIAOSHA__RECEIPT_KEYS", format!("r1:{:064x}", chance()?)),
            ("MIAOSHA__ARCHIVE__FOLDER", std::env::temp_dir().join(&name).display().to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        let env: Env = env.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut migrate = command(sibling("miaosha")?, Cores::All);
        migrate.args(["migrate", "--world", "cluster"]).envs(env.iter().map(|(key, value)| (key, value)));
        let migrated = migrate.output().await.map_err(|error| error.to_string())?;
        if !migrated.status.success() {
            return Err(format!("the migration failed: {}", String::from_utf8_lossy(&migrated.stderr)));
        }
        Ok(Self { env, keys, mysql_url, rabbit_url, namespace: name })
    }

    pub async fn part(&self, name: &'static str) -> Result<Part, String> {
        Part::start(name, &self.env, &[], Cores::All).await
    }

    /// A sale that is open now, made by a gateway that lives only for this.
    pub async fn open_sale(&self, capacity: u32, standby: u32) -> Result<SaleId, String> {
        let gateway = self.part("gateway").await?;
        let sale = open_sale(gateway.address, &self.keys, capacity, standby).await?;
        gateway.stop().await?;
        Ok(sale)
    }

    pub async fn broker(&self) -> Result<RabbitBroker, String> {
        let config = RabbitConfig {
            at: self.rabbit_url.clone().into(),
            namespace: self.namespace.clone(),
            partitions: PARTITIONS,
            queue_messages_max: QUEUE_MESSAGES_MAX,
            confirm_ms: 10_000,
        };
        RabbitBroker::connect(config, Lifecycle::new().tasks()).await.map_err(|fault| fault.to_string())
    }

    pub async fn ledger(&self) -> Result<MysqlStore, String> {
        MysqlStore::connect(&self.mysql_url, 2).await.map_err(|fault| fault.to_string())
    }

    pub async fn turnstile(&self) -> Result<RedisTurnstile, String> {
        RedisTurnstile::connect(url_of("MIAOSHA_REDIS_URL")?, &self.namespace).await.map_err(|fault| fault.to_string())
    }

    /// The invariants of the sale, as `miaosha audit` has them.
    pub async fn audit(&self, sale: SaleId) -> Result<bool, String> {
        let mut audit = command(sibling("miaosha")?, Cores::All);
        audit.args(["audit", "--world", "cluster", "--sale", &sale.to_string()]);
        audit.envs(self.env.iter().map(|(key, value)| (key, value)));
        let output = audit.output().await.map_err(|error| error.to_string())?;
        Ok(output.status.success())
    }
}

/// An embedded shop of its own, in a folder of its own.
pub struct Shop {
    pub part: Part,
    pub keys: TokenKeys,
    pub folder: PathBuf,
}

impl Shop {
    pub async fn open(settings: &[(&str, &str)]) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("miaosha-bench-{:016x}", chance()?));
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let (address, inner) = (free_address()?, free_address()?);
        let mut serve = command(sibling("miaosha")?, Cores::All);
        serve.args(["serve", "--no-demo", "--listen", &address.to_string(), "--inner-listen", &inner.to_string()]);
        serve.arg("--state").arg(&folder).env("RUST_LOG", "warn").envs(settings.iter().copied());
        let part = Part::launch("miaosha", serve, address, inner).await?;
        let keys = std::fs::read_to_string(folder.join("token.keys")).map_err(|error| error.to_string())?;
        let keys = TokenKeys::parse(keys.trim()).map_err(|error| error.to_string())?;
        Ok(Self { part, keys, folder })
    }
}

/// A publisher's setting: whether "sold out" is said at once.
pub fn shortcut(is_on: bool) -> [(&'static str, &'static str); 1] {
    [("MIAOSHA__PUBLISHER__SOLD_OUT_AT_ONCE", if is_on { "true" } else { "false" })]
}

/// Turns recorded so far: one for each batch.
pub async fn recorded(ledger: &MysqlStore, sale: SaleId) -> Result<u64, String> {
    let look = ledger.look(sale, &[], &[]).await.map_err(|fault| fault.to_string())?;
    Ok(look.map_or(0, |look| look.revision))
}

async fn create_database(url: &str, name: &str) -> Result<String, String> {
    let (server, _) = url.rsplit_once('/').ok_or("MIAOSHA_MYSQL_URL names no database")?;
    let mut connection = MySqlConnection::connect(url).await.map_err(|error| error.to_string())?;
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut connection).await.map_err(|error| error.to_string())?;
    Ok(format!("{server}/{name}"))
}

pub async fn open_sale(gateway: SocketAddr, keys: &TokenKeys, capacity: u32, standby: u32) -> Result<SaleId, String> {
    let offer = Offer { standby_max: standby, ..Offer::new(SystemClock::machine_now(), capacity) };
    Ok(SaleId(offer.open(&gateway.to_string(), keys, 1).await?[0]))
}

/// Waits until the publisher knows the sale: from then on it is the quantity that is wrong.
pub async fn heard(publisher: SocketAddr, keys: &TokenKeys, sale: SaleId) -> Result<(), String> {
    attempt_until(publisher, keys, sale, OPERATOR.0, 0, 400).await
}

/// Waits until an attempt is answered "sold out" at once.
pub async fn sold_out(publisher: SocketAddr, keys: &TokenKeys, sale: SaleId) -> Result<(), String> {
    attempt_until(publisher, keys, sale, OPERATOR.0, 1, 200).await
}

/// Presses now and then: a publisher that is not asked for a few seconds does not know any more that all are gone, and no consumer is
/// there to tell it anew.
pub fn keep_sold_out(publisher: SocketAddr, keys: &TokenKeys, sale: SaleId) -> impl Future<Output = ()> + use<> {
    let (token, path) = (admission(keys, OPERATOR, sale), format!("/v1/sales/{sale}/attempts"));
    async move {
        let mut client = Client::new(&publisher.to_string());
        loop {
            let _ = client.post(&path, &token, json!({ "quantity": 1 }).to_string()).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

pub async fn attempt_until(
    publisher: SocketAddr,
    keys: &TokenKeys,
    sale: SaleId,
    buyer: u64,
    quantity: u8,
    status: u16,
) -> Result<(), String> {
    let token = admission(keys, BuyerId(buyer), sale);
    let path = format!("/v1/sales/{sale}/attempts");
    let mut client = Client::new(&publisher.to_string());
    let asked = async {
        loop {
            let answer = client.post(&path, &token, json!({ "quantity": quantity }).to_string()).await?;
            if answer.status == status {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let late = format!("the publisher never answered {status} for sale {sale}");
    tokio::time::timeout(HEARD_WAIT_MAX, asked).await.map_err(|_| late)?
}
