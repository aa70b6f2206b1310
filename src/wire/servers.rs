//! Where the servers of the Cluster world are, and how they are spoken to: the same for services, functions and commands.

use crate::adapters::rabbit::{RabbitBroker, RabbitConfig};
use crate::adapters::redis::RedisTurnstile;
use crate::adapters::sql::mysql::MysqlStore;
use crate::adapters::tls::{Endpoint, Trust};
use crate::kit::process::Failure;
use crate::kit::work::settings::ConfigError;
use crate::ports::Result;
use crate::ports::platform::tasks::AnyTasks;
use crate::wire::config::{Config, TlsConfig};
use secrecy::{ExposeSecret, SecretString};

/// What can be wrong with where a server is, before anybody connects.
type Check = fn(&Endpoint) -> Result<()>;

pub struct Servers<'a> {
    config: &'a Config,
    trust: Trust,
}

impl<'a> Servers<'a> {
    /// Refuses what no waiting would mend: certificates that cannot be read, a URL that contradicts itself or `tls.required`.
    pub fn of(config: &'a Config) -> Result<Self, Failure> {
        let servers = Self { config, trust: trust(&config.tls)? };
        let Config { mysql, redis, rabbit, .. } = config;
        let checks: [(&str, Check, &SecretString); 4] = [
            ("mysql.url", MysqlStore::check, &mysql.url),
            ("mysql.replica_url", MysqlStore::check, &mysql.replica_url),
            ("redis.url", RedisTurnstile::check, &redis.url),
            ("rabbit.url", RabbitBroker::check, &rabbit.url),
        ];
        // Not every part is told where every server is.
        for (name, check, url) in checks.into_iter().filter(|(.., url)| !url.expose_secret().is_empty()) {
            check(&servers.at(url)).map_err(|fault| ConfigError::new(format!("{name}: {}", fault.what)))?;
        }
        Ok(servers)
    }

    pub async fn mysql(&self, pool_max: u32) -> Result<MysqlStore> {
        MysqlStore::connect(self.at(&self.config.mysql.url), pool_max).await
    }

    /// The store with the copy that it may read from, if there is one.
    pub fn with_replica(&self, store: MysqlStore) -> Result<MysqlStore> {
        let mysql = &self.config.mysql;
        match mysql.replica_url.expose_secret() {
            "" => Ok(store),
            _ => store.with_replica(self.at(&mysql.replica_url), mysql.replica_pool_max),
        }
    }

    pub async fn redis(&self) -> Result<RedisTurnstile> {
        RedisTurnstile::connect(self.at(&self.config.redis.url), &self.config.namespace).await
    }

    /// One that is away now is connected to when it is there.
    pub async fn redis_later(&self) -> Result<RedisTurnstile> {
        RedisTurnstile::connect_later(self.at(&self.config.redis.url), &self.config.namespace).await
    }

    pub async fn rabbit(&self, tasks: AnyTasks) -> Result<RabbitBroker> {
        let rabbit = &self.config.rabbit;
        let config = RabbitConfig {
            at: self.at(&rabbit.url),
            namespace: self.config.namespace.clone(),
            partitions: rabbit.partitions,
            queue_messages_max: rabbit.queue_messages_max,
            confirm_ms: rabbit.confirm_ms,
        };
        RabbitBroker::connect(config, tasks).await
    }

    fn at(&self, url: &SecretString) -> Endpoint {
        Endpoint::new(url.expose_secret(), &self.trust)
    }
}

fn trust(config: &TlsConfig) -> Result<Trust, ConfigError> {
    let TlsConfig { ca_file, required } = config;
    let bad = |error: &dyn std::fmt::Display| ConfigError::new(format!("tls.ca_file, {}: {error}", ca_file.display()));
    let extra = match ca_file.as_os_str().is_empty() {
        true => String::new(),
        false => match std::fs::read_to_string(ca_file) {
            Ok(text) if text.trim().is_empty() => return Err(bad(&"it is empty")),
            Ok(text) => text,
            Err(error) => return Err(bad(&error)),
        },
    };
    let trust = Trust::new(&extra).map_err(|fault| bad(&fault.what))?;
    Ok(if *required { trust.only() } else { trust })
}
