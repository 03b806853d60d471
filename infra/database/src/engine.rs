//! Which engine answers, and the few SQL fragments that differ between the two.

/// The engine behind a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The texts of a JSON array bound at `placeholder`, for `where code in …`.
    pub fn in_texts(self, placeholder: &str) -> String {
        match self {
            Self::Sqlite => format!("(select value from json_each({placeholder}))"),
            Self::Postgres => format!("(select jsonb_array_elements_text({placeholder}::jsonb))"),
        }
    }

    /// The uuids of a JSON array bound at `placeholder`, for `where id in …`.
    pub fn in_uuids(self, placeholder: &str) -> String {
        match self {
            Self::Sqlite => format!("(select value from json_each({placeholder}))"),
            Self::Postgres => format!("(select jsonb_array_elements_text({placeholder}::jsonb)::uuid)"),
        }
    }

    /// Locks the rows read until the transaction ends; SQLite's writers already stand in line.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " for update",
        }
    }

    /// Like [`Self::for_update`], leaving out rows that another transaction holds.
    pub fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " for update skip locked",
        }
    }
}
