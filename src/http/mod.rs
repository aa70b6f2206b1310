//! The web kit: what every HTTP face needs, and no sale is named.
