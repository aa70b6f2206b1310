//! Everything that can differ between two moments.

pub const SEATS: usize = 2;
pub const GATEWAYS: usize = 2;

/// A map as somebody has it: (epoch, revision), and bits: seats that are not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Picture {
    pub epoch: u8,
    pub revision: u8,
    pub seats: u8,
}

impl Picture {
    pub fn number(&self) -> (u8, u8) {
        (self.epoch, self.revision)
    }
}

/// A seat's absolute state, from a revision on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Notice {
    pub to: u8,
    pub epoch: u8,
    pub revision: u8,
    pub seat: u8,
    pub is_taken: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    pub moves: u8,
    pub losses: u8,
    pub cuts: u8,
    pub restores: u8,
    /// A client goes to another gateway.
    pub changes: u8,
    /// A read is answered by a replica that is one move behind.
    pub lags: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub epoch: u8,
    /// The seats after each revision of this history; revision 0 is the first.
    pub history: Vec<u8>,
    /// The log has what came after this revision.
    pub log_from: u8,
    /// Sorted.
    pub notices: Vec<Notice>,
    pub gateways: [Picture; GATEWAYS],
    /// Seats that a gateway has read before it reads the revision, with that rule off.
    pub half_read: Option<u8>,
    pub client: Picture,
    /// The client's gateway.
    pub at: u8,
    pub left: Budget,
    pub broken: Option<Broken>,
}

impl State {
    pub fn revision(&self) -> u8 {
        self.history.len() as u8 - 1
    }

    /// As it was at a revision of this history.
    pub fn at_revision(&self, revision: u8) -> Picture {
        Picture { epoch: self.epoch, revision, seats: self.history[revision as usize] }
    }

    pub fn now(&self) -> Picture {
        self.at_revision(self.revision())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A number goes back.
    Back,
    /// Who has a number has not its seats.
    Truth,
}
