//! Every story, for one world's fixture; those that serve its queues have them alone.

macro_rules! suite {
    ($fixture:ident, $alone:ident) => {
        use crate::workers::points::{self, BOTH};
        use crate::workers::restores::{self, Finder};
        use crate::workers::{blocks, feed, paying, queues, refunds, relaying, standing_by, stories, tending};

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_consumer_stopped_at_every_point() {
            for point in points::CONSUMER {
                for first in BOTH {
                    points::consumer($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn an_alarm_stopped_at_every_point() {
            for point in points::LAPSE {
                for first in BOTH {
                    points::alarm($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_sweeper_stopped_at_every_point() {
            for point in points::LAPSE {
                for first in BOTH {
                    points::sweep($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_restore_stopped_at_every_point() {
            for point in points::RESTORE {
                points::restore($fixture().await, point).await;
                points::restore_asleep($fixture().await, point).await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn stuck_payments_and_refunds_stopped_in_between() {
            for first in BOTH {
                points::resolve($fixture().await, first).await;
                for point in points::REFUND {
                    points::refund($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_relay_stopped_at_every_point() {
            for point in relaying::RELAY {
                for first in BOTH {
                    relaying::stopped($alone().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_part_given_on_stopped_at_every_point() {
            for point in points::LAPSE {
                for first in BOTH {
                    if point != points::LAPSE[0] || first == points::First::Dropped {
                        refunds::part($fixture().await, point, first).await;
                    }
                    refunds::the_rest_first($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_part_given_on_while_the_turnstile_is_emptied() {
            for point in points::LAPSE {
                for first in BOTH {
                    refunds::wiped($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_block_decided_stopped_at_every_point() {
            for point in points::CONSUMER {
                for first in BOTH {
                    blocks::decided($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_block_given_back_stopped_at_every_point() {
            for point in points::LAPSE {
                for first in BOTH {
                    blocks::ended($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_block_ended_while_it_is_decided() {
            for point in &points::CONSUMER[..3] {
                blocks::ended_in_the_queue($fixture().await, *point).await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn the_money_of_a_part_stopped_in_between() {
            for first in BOTH {
                for point in points::REFUND {
                    refunds::money_of_a_part($fixture().await, point, first).await;
                }
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_promotion_waits_for_its_birth() {
            for first in BOTH {
                points::promotion_before_birth($fixture().await, first).await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_consumer_killed_with_a_full_queue() {
            for point in points::CONSUMER {
                queues::killed($alone().await, point).await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_turnstile_that_fell_back() {
            for by in [Finder::Consumer, Finder::Sweeper] {
                restores::fell_back($fixture().await, by).await;
            }
        }

        $crate::workers::suite::stories! { $fixture,
            points: early_alarm;
            restores: emptied two_histories forgotten_batch forgotten_release answer_under_way raised raise_lost away
                restore_promotes;
            stories: redelivery every_outcome unknown_sale first_that_fits crowd a_full_queue closed exhausted
                exhausted_at_once audit_finds;
            standing_by: a_refund_after_all_is_paid who_waits_is_told a_raise_after_all_is_paid a_raise_before_the_close
                promoted_and_then_closed until_all_is_paid exhausted_when_the_line_is_full;
            paying: stuck never_opened paying_at_the_bell an_old_alarm;
            refunds: refunds_race in_mid_rush audit_finds_money;
            blocks: emptied_with_blocks quiet mid_rush;
            relaying: woken tended audit_waits;
            tending: a_sale_goes_after_its_certificate a_sale_moves_after_its_certificate a_sale_that_fails_its_audit_is_kept
                a_sale_that_is_under_way_is_not_certified a_step_goes_by_so_many_sales a_step_removes_so_many
                a_part_that_is_away_stops_no_other a_tender_that_died_is_followed a_turnstile_that_fell_back_holds_nothing_up;
        }
        $crate::workers::suite::stories! { $alone, queues: two_of_each dropped_deliveries_come_again alarms_ring
        every_hold_has_its_alarm; relaying: two_relays; feed: what_moves_is_told a_turnstile_of_another_generation_is_none
        a_draft_is_told_when_it_is_published a_round_finds_what_nobody_told
        who_asks_is_told_everything a_publisher_that_joins_learns_everything many_emptied one_emptied; }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn what_could_not_be_told_is_told_later() {
            feed::what_could_not_be_told_is_told_later($alone().await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_log_out_that_could_not_be_told_is_told_later() {
            feed::a_log_out_that_could_not_be_told_is_told_later($alone().await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn what_nobody_touches_costs_nothing() {
            feed::what_nobody_touches_costs_nothing($alone().await).await;
        }
    };
}

macro_rules! stories {
    ($fixture:ident, $($module:ident: $($story:ident)*;)*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                $module::$story($fixture().await).await;
            }
        )*)*
    };
}

pub(crate) use {stories, suite};
