//! The process kit: what every binary does once, in one order.
