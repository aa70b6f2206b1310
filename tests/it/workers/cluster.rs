//! The stories on the Cluster world's parts: a namespace and a database of its own for each.

use std::sync::Arc;

use miaosha::adapters::mysql::{MysqlStore, Sandbox};
use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::redis::RedisTurnstile;

use super::bench::{Bench, HOLD_MS, PartsOfBench, TestWorld};
use crate::support::servers::{mysql_url, rabbit_url, redis_url, unique_name};

type World = TestWorld<RedisTurnstile, MysqlStore, RabbitBroker, RabbitBroker, Sandbox>;
