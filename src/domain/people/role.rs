//! What an account may do beside buying. A call names the one permission that it needs and never a role; which roles have it is
//! said in one table, [`Permission::roles`], that calls, pages and the document read. Nothing here knows a route or a token.

use std::fmt;
use std::str::FromStr;

/// Whoever is no shopper is an operator. On the wire and in commands by its [name](Role::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Shopper,
    /// Everything; there is always one.
    Owner,
    /// Sells: sales, orders, refunds, lists of people, units out of sale.
    Desk,
    /// Lets people in, finds who comes without a code, and nothing else: whose device is lost at a gate loses little.
    Door,
    /// Sees figures and changes nothing.
    Viewer,
}

/// What a call of operators does, as far as it matters who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Figures, orders and refunds one by one, audits, what is parked: nothing changes, and no list of people leaves.
    Read,
    /// Items and sales: put on sale, published, corrected, paused, resumed, closed, raised.
    Sell,
    /// Units taken out of sale, and put back.
    Block,
    /// Money given back, and refunds that failed seen to.
    Refund,
    /// Lists that name people.
    Export,
    /// Parked messages sent back, kept receipts removed.
    Repair,
    /// Letting in, and what a gate needs for it.
    CheckIn,
    /// Beside letting in: who holds a unit, by name, and a let-in taken back soon after.
    Steward,
    /// A let-in taken back however long ago.
    Correct,
    /// Who did what.
    Journal,
}

impl Permission {
    pub const ALL: [Permission; 10] = [
        Permission::Read,
        Permission::Sell,
        Permission::Block,
        Permission::Refund,
        Permission::Export,
        Permission::Repair,
        Permission::CheckIn,
        Permission::Steward,
        Permission::Correct,
        Permission::Journal,
    ];

    /// The table.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Permission::Read => &[Role::Owner, Role::Desk, Role::Viewer],
            Permission::Sell | Permission::Block | Permission::Refund | Permission::Export | Permission::Correct => {
                &[Role::Owner, Role::Desk]
            }
            Permission::Repair | Permission::Journal => &[Role::Owner],
            Permission::CheckIn => &[Role::Owner, Role::Door],
            Permission::Steward => &[Role::Owner, Role::Desk, Role::Door],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Permission::Read => "read",
            Permission::Sell => "sell",
            Permission::Block => "block",
            Permission::Refund => "refund",
            Permission::Export => "export",
            Permission::Repair => "repair",
            Permission::CheckIn => "check_in",
            Permission::Steward => "steward",
            Permission::Correct => "correct",
            Permission::Journal => "journal",
        }
    }

    /// Money and people's names leave by it: who does it shows the second factor again, unless that was lately.
    pub fn needs_fresh_proof(self) -> bool {
        matches!(self, Permission::Refund | Permission::Export)
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Shopper, Role::Owner, Role::Desk, Role::Door, Role::Viewer];

    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }

    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.may(*permission))
    }

    /// Whether a password alone is too little. A door changes hands in the rain, and can do little harm.
    pub fn needs_second_factor(self) -> bool {
        matches!(self, Role::Owner | Role::Desk)
    }

    pub fn is_operator(self) -> bool {
        self != Role::Shopper
    }

    pub fn name(self) -> &'static str {
        match self {
            Role::Shopper => "shopper",
            Role::Owner => "owner",
            Role::Desk => "desk",
            Role::Door => "door",
            Role::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there is no role {0:?}: there are owner, desk, door, viewer and shopper")]
pub struct NoSuchRole(String);

impl FromStr for Role {
    type Err = NoSuchRole;

    fn from_str(text: &str) -> Result<Self, NoSuchRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NoSuchRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it was agreed, role by role; the table is written the other way round.
    #[test]
    fn each_role_may_what_it_is_for() {
        let may = |role: Role| role.permissions().map(Permission::name).collect::<Vec<_>>();
        assert_eq!(may(Role::Shopper), [""; 0]);
        let all = Permission::ALL.map(Permission::name);
        assert_eq!(all[6..], ["check_in", "steward", "correct", "journal"]);
        assert_eq!(may(Role::Owner), all);
        assert_eq!(may(Role::Desk), ["read", "sell", "block", "refund", "export", "steward", "correct"]);
        assert_eq!(may(Role::Door), ["check_in", "steward"]);
        assert_eq!(may(Role::Viewer), ["read"]);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().expect("a name of its own"), role);
            assert_eq!(role.is_operator(), role.permissions().count() > 0, "{role}");
        }
        assert!("operator".parse::<Role>().is_err() && "Owner".parse::<Role>().is_err());
        for permission in Permission::ALL {
            assert_eq!(Permission::of_name(permission.name()), Some(permission));
        }
        assert_eq!(Permission::of_name("operator"), None);
    }
}
