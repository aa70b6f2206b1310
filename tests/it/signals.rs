//! What wakes and tells, over every adapter.

mod memory {
    use miaosha::adapters::memory::signals::MemorySignals;
    use miaosha::ports::sale::deadlines::Deadlines;
    use miaosha::ports::sale::feed::{NewsRequest, SaleFeed};
    use miaosha::ports::sale::notices::Notices;

    use crate::contract::signals;

    #[tokio::test]
    async fn deadlines_ring() {
        signals::deadlines_ring(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn a_dropped_deadline_rings_again() {
        signals::a_dropped_deadline_rings_again(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn a_deadline_rings_once() {
        signals::a_deadline_rings_once(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn any_hold_has_an_alarm() {
        signals::any_hold_has_an_alarm(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn notices_reach_everybody() {
        signals::notices_reach_everybody(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn what_is_missed_is_said() {
        signals::what_is_missed_is_said(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn news_reach_everybody() {
        signals::news_reach_everybody(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn a_request_is_heard_once() {
        signals::a_request_is_heard_once(&MemorySignals::new()).await;
    }

    /// A payment-consumer of before the deploy says nothing of a line's end.
    #[test]
    fn older_news_are_read() {
        let mut word = serde_json::to_value(signals::news(1, 1)).unwrap();
        assert_eq!(word["sale"].as_object_mut().unwrap().remove("standby_until"), Some("closed".into()));
        let read: miaosha::ports::sale::feed::SaleNews = serde_json::from_value(word).unwrap();
        assert_eq!(read.sale, signals::news(1, 1).sale);
    }

    /// The short ones first, whatever was set first: no deadline waits behind another here.
    #[tokio::test]
    async fn shorter_holds_ring_first() {
        let signals = MemorySignals::new();
        for (sale, hold_ms) in [(3, 60), (1, 20), (2, 40)] {
            signals.schedule(signals::deadline(sale), hold_ms).await.unwrap();
        }
        let mut deadlines = signals.deadlines().await.unwrap();
        for sale in 1..=3 {
            let rung = deadlines.next(1).await.unwrap().remove(0);
            assert_eq!(rung.body(), &signals::deadline(sale));
            rung.ack().await.unwrap();
        }
    }

    /// A subscriber that does not keep up is told so, instead of missing some in silence; memory stays bounded.
    #[tokio::test]
    async fn who_lags_begins_anew() {
        let signals = MemorySignals::new();
        for (told, fits) in [(1_024, true), (1_025, false)] {
            let mut stream = signals.notices().await.unwrap();
            for number in 0..told {
                signals.tell(&[signals::notice(number)]).await.unwrap();
            }
            assert_eq!(stream.next().await.map_err(|fault| fault.part).is_ok(), fits, "{told}");
        }
        let mut stream = signals.notices().await.unwrap();
        signals.tell(&[signals::notice(1)]).await.unwrap();
        assert_eq!(signals::told(&mut stream).await.unwrap(), [signals::notice(1)]);
    }

    /// Nothing is published, and publishers ask again and again: the last requests are kept.
    #[tokio::test]
    async fn no_more_requests_wait_than_may() {
        let signals = MemorySignals::new();
        let everything = |number| NewsRequest::Everything { number };
        for number in 0..1_025 {
            signals.request(&everything(number)).await.unwrap();
        }
        let waiting = signals.requests().await.unwrap().next().await.unwrap();
        assert_eq!(waiting, (1..1_025).map(everything).collect::<Vec<_>>());
    }
}

#[cfg(feature = "servers")]
mod rabbit {
    use lapin::options::{BasicPublishOptions, QueueDeleteOptions};
    use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
    use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
    use miaosha::domain::sale::notice::Missed;
    use miaosha::domain::shared::id::SaleId;
    use miaosha::kit::work::lifecycle::Lifecycle;
    use miaosha::ports::sale::attempts::Attempts;
    use miaosha::ports::sale::deadlines::Deadlines;
    use miaosha::ports::sale::feed::SaleFeed;
    use miaosha::ports::sale::notices::{NoticeItem, Notices};
    use serde_json::json;

    use crate::contract::attempts::{patiently, until};
    use crate::contract::signals::{self, deadline, missed, notice};
    use crate::support::proxy::{Proxy, by_proxy};
    use crate::support::servers::{rabbit_url, unique_name};

    async fn broker() -> RabbitBroker {
        broker_at(&rabbit_url(), &unique_name(), 10_000).await
    }

    async fn broker_at(url: &str, namespace: &str, confirm_ms: u64) -> RabbitBroker {
        let config = RabbitConfig {
            at: url.to_owned().into(),
            namespace: namespace.to_owned(),
            partitions: 1,
            queue_messages_max: 100,
            confirm_ms,
        };
        RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap()
    }

    /// Two processes of one fleet; the way of the second to the broker can be cut.
    async fn near_and_far() -> (RabbitBroker, RabbitBroker, Proxy) {
        let namespace = unique_name();
        let (url, proxy) = by_proxy(&rabbit_url()).await;
        (broker_at(&rabbit_url(), &namespace, 10_000).await, broker_at(&url, &namespace, 300).await, proxy)
    }

    fn is_of(missed: &Missed, sales: &[u64]) -> bool {
        matches!(missed, Missed::Sales(of) if of.iter().map(|(sale, _)| sale.0).eq(sales.iter().copied()))
    }

    /// Who was cut off while something happened says so when it is back.
    #[tokio::test]
    async fn who_could_not_tell_says_what_was_missed() {
        let (near, far, proxy) = near_and_far().await;
        let mut stream = near.notices().await.unwrap();
        far.tell(&[notice(1)]).await.unwrap();
        assert_eq!(patiently(stream.next()).await.unwrap(), NoticeItem::Notices(vec![notice(1)]));
        proxy.close();
        until(async || !far.is_up()).await;
        far.tell(&[notice(2)]).await.unwrap_err();
        far.missed(SaleId(9));
        proxy.open();
        // At once, or one after the other.
        let mut said = Vec::new();
        while said.len() < 2 {
            match missed(&mut stream).await {
                Missed::Sales(sales) => said.extend(sales.into_iter().map(|(sale, _)| sale.0)),
                all => panic!("{all:?}: nobody had to look at everything"),
            }
        }
        assert_eq!(said, [1, 9]);
    }

    /// The broker does not answer, and the caller gives up: the notice may arrive or not, and it is said to be missed.
    #[tokio::test]
    async fn a_notice_that_is_given_up_is_missed() {
        let (near, far, proxy) = near_and_far().await;
        let mut stream = near.notices().await.unwrap();
        proxy.hole(true);
        let notices = [notice(1)];
        tokio::select! {
            biased;
            told = far.tell(&notices) => panic!("{told:?}"),
            () = std::future::ready(()) => {}
        }
        proxy.hole(false);
        assert!(is_of(&missed(&mut stream).await, &[1]));
    }

    /// A number that does not come is a notice that did not arrive here; the next ones arrive all the same.
    #[tokio::test]
    async fn a_gap_in_the_numbers_is_seen() {
        let namespace = unique_name();
        let broker = broker_at(&rabbit_url(), &namespace, 10_000).await;
        let mut stream = broker.notices().await.unwrap();
        let channel = channel().await;
        let tell = async |number: u64| {
            let body = json!({ "sender": 7, "number": number, "missed": null, "notices": [notice(number)] });
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            let (exchange, body) = (format!("{namespace}.notices"), body.to_string());
            channel.basic_publish(exchange.into(), "".into(), options, body.as_bytes(), properties).await.unwrap();
        };
        // Passing each other is allowed.
        for number in [2, 1, 3] {
            tell(number).await;
        }
        for number in [5, 6] {
            tell(number).await;
        }
        let mut heard = Vec::new();
        let gap = loop {
            match patiently(stream.next()).await.unwrap() {
                NoticeItem::Notices(notices) => heard.extend(notices.iter().map(|notice| notice.buyer.0)),
                NoticeItem::Missed(missed) => break missed,
            }
        };
        assert_eq!(heard, [2, 1, 3, 5, 6]);
        assert!(matches!(gap, Missed::All { .. }), "{gap:?}");
        tell(7).await;
        assert_eq!(patiently(stream.next()).await.unwrap(), NoticeItem::Notices(vec![notice(7)]), "once");
    }

    async fn channel() -> Channel {
        let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
        connection.create_channel().await.unwrap()
    }

    /// A queue of alarms that is gone is declared anew by the next one, and nothing else notices.
    #[tokio::test]
    async fn a_queue_of_alarms_that_is_gone_is_declared_anew() {
        let namespace = unique_name();
        let broker = broker_at(&rabbit_url(), &namespace, 10_000).await;
        let queue = format!("{namespace}.deadlines.300s");
        let delete =
            async || channel().await.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        broker.schedule(deadline(1), 61_000).await.unwrap();
        assert_eq!(delete().await, 1, "holds of this length wait in this queue");
        broker.schedule(deadline(2), 299_000).await.unwrap();
        assert!(broker.is_up(), "the connection is not doubted for it");
        assert_eq!(delete().await, 1, "it is there again");
        // Others go on.
        let mut deadlines = broker.deadlines().await.unwrap();
        broker.schedule(deadline(3), 1).await.unwrap();
        assert_eq!(patiently(deadlines.next(1)).await.unwrap()[0].body(), &deadline(3));
    }

    #[tokio::test]
    async fn deadlines_ring() {
        signals::deadlines_ring(&broker().await).await;
    }

    #[tokio::test]
    async fn a_dropped_deadline_rings_again() {
        signals::a_dropped_deadline_rings_again(&broker().await).await;
    }

    #[tokio::test]
    async fn a_deadline_rings_once() {
        signals::a_deadline_rings_once(&broker().await).await;
    }

    #[tokio::test]
    async fn any_hold_has_an_alarm() {
        signals::any_hold_has_an_alarm(&broker().await).await;
    }

    #[tokio::test]
    async fn notices_reach_everybody() {
        signals::notices_reach_everybody(&broker().await).await;
    }

    #[tokio::test]
    async fn what_is_missed_is_said() {
        signals::what_is_missed_is_said(&broker().await).await;
    }

    #[tokio::test]
    async fn news_reach_everybody() {
        signals::news_reach_everybody(&broker().await).await;
    }

    #[tokio::test]
    async fn a_request_is_heard_once() {
        signals::a_request_is_heard_once(&broker().await).await;
    }

    /// A bulletin that does not arrive ends the stream, for who listens has to ask for everything; what was told before it listened
    /// is no such bulletin.
    #[tokio::test]
    async fn a_missing_bulletin_ends_the_stream() {
        let namespace = unique_name();
        let broker = broker_at(&rabbit_url(), &namespace, 10_000).await;
        let mut stream = broker.news().await.unwrap();
        let channel = channel().await;
        let tell = async |number: u64| {
            let bulletin = signals::bulletin([signals::news(1, number)]);
            let body = json!({ "sender": 7, "number": number, "bulletin": bulletin }).to_string();
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            let exchange = format!("{namespace}.news");
            channel.basic_publish(exchange.into(), "".into(), options, body.as_bytes(), properties).await.unwrap();
        };
        for number in [5, 4, 6, 8] {
            tell(number).await;
        }
        let mut heard = Vec::new();
        let ended = loop {
            match patiently(stream.next()).await {
                Ok(bulletin) => heard.push(bulletin.sales[0].revision),
                Err(fault) => break fault,
            }
        };
        assert_eq!((&heard[..], ended.part), (&[5, 4, 6, 8][..], "broker"));
    }
}

/// Whatever comes over the wire, a decoder answers.
mod decoders {
    use miaosha::adapters::rabbit::codec;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use crate::contract::events::event;
    use crate::contract::signals::{bulletin, deadline, news, notice};

    fn decode(bytes: &[u8]) {
        let _ = codec::batch(bytes);
        let _ = codec::deadline(bytes);
        let _ = codec::notices(bytes);
        let _ = codec::news(bytes);
        let _ = codec::news_request(bytes);
        let _ = codec::events(bytes);
    }

    proptest! {
        #[test]
        fn take_anything(bytes in vec(any::<u8>(), 0..200)) {
            decode(&bytes);
        }

        /// Almost right is what a newer version would send.
        #[test]
        fn take_almost_anything(at in any::<prop::sample::Index>(), byte in any::<u8>(), kind in 0..6) {
            let mut bytes = match kind {
                0 => serde_json::to_vec(&deadline(1)),
                1 => serde_json::to_vec(&[notice(1)]),
                2 => serde_json::to_vec(&event(1)),
                3 => serde_json::to_vec(&json!({ "sender": 1, "number": 2, "missed": { "sales": [[1, 5]] }, "notices": [notice(1)] })),
                4 => serde_json::to_vec(&json!({ "sales": { "sales": [1, 2] } })),
                _ => serde_json::to_vec(&json!({ "sender": 1, "number": 2, "bulletin": bulletin([news(1, 2)]) })),
            }.unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            decode(&bytes);
        }
    }

    #[test]
    fn are_strict() {
        assert_eq!(codec::deadline(&serde_json::to_vec(&deadline(1)).unwrap()), Ok(deadline(1)));
        assert!(codec::deadline(br#"{"sale":1,"reservations":[]}"#).is_err());
        assert!(
            codec::deadline(br#"{"sale":1,"reservations":["00000000000000000000000000000001"],"more":1}"#).is_err()
        );
        let told = |missed: serde_json::Value| {
            let told = json!({ "sender": 1, "number": 2, "missed": missed, "notices": [notice(1)] });
            codec::notices(&serde_json::to_vec(&told).unwrap())
        };
        assert_eq!(told(json!(null)).unwrap().notices, [notice(1)]);
        assert!(told(json!({ "all": { "age_ms": 5 } })).is_ok());
        assert!(told(json!({ "sales": vec![(1, 5); 256] })).is_ok());
        assert!(told(json!({ "sales": vec![(1, 5); 257] })).is_err());
        assert!(told(json!("sales")).is_err());
        assert!(codec::notices(&serde_json::to_vec(&[notice(1)]).unwrap()).is_err(), "the sender is known");
        let asked =
            |count: usize| codec::news_request(json!({ "sales": { "sales": vec![1; count] } }).to_string().as_bytes());
        assert!(asked(64).is_ok() && asked(65).is_err());
        assert!(codec::news_request(br#"{"everything":{"number":1,"more":2}}"#).is_err());
        let mut crowd = deadline(1);
        crowd.reservations = vec![crowd.reservations[0]; 513];
        assert!(codec::deadline(&serde_json::to_vec(&crowd).unwrap()).is_err());
    }
}
