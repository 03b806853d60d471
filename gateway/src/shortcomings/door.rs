//! What keeps the settings of the public door from being used: a door that would open for nobody.

use crate::Config;
use crate::config::{DocumentMode, DoorRules};

pub fn of_door(door: &DoorRules) -> Vec<String> {
    let (quotas, overload) = (&door.quotas, &door.overload);
    let nothing = [
        ("documents.poll_ms", door.documents.poll_ms == 0),
        ("quotas.address_per_minute", quotas.address_per_minute == 0),
        ("quotas.subject_per_minute", quotas.subject_per_minute == 0),
        ("quotas.new_documents_per_minute", quotas.new_documents_per_minute == 0),
        ("quotas.sensitive_per_minute", quotas.sensitive_per_minute == 0),
        ("overload.executions_max", overload.executions_max == 0),
        ("overload.connections_max", overload.connections_max == 0),
        ("overload.retry_after_s", overload.retry_after_s == 0),
    ];
    let nothing = nothing.into_iter().filter(|(_, nothing)| *nothing);
    nothing.map(|(name, _)| format!("door.{name} must be above zero")).collect()
}

/// The same for a door alone, which has no documents of its own.
pub fn of_door_alone(config: &Config) -> Vec<String> {
    let documents = &config.door.documents;
    let required = documents.mode_in(config.environment.is_sandbox()) == DocumentMode::Require;
    let mut found = of_door(&config.door);
    if required && documents.manifests.is_empty() {
        found.push(
            "door.documents.manifests is empty: where trusted ones are required, nothing is answered"
                .to_owned(),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use chassis::Environment;

    use super::*;
    use crate::config::{Overload, Quotas};

    #[test]
    fn a_door_that_would_open_for_nobody_is_refused() {
        assert!(of_door(&DoorRules::default()).is_empty());
        let quotas = Quotas { address_per_minute: 0, ..Quotas::default() };
        let overload = Overload { connections_max: 0, ..Overload::default() };
        let found = of_door(&DoorRules { quotas, overload, ..DoorRules::default() });
        let above = ["quotas.address_per_minute", "overload.connections_max"];
        assert_eq!(found, above.map(|name| format!("door.{name} must be above zero")));
    }

    #[test]
    fn a_door_alone_needs_manifests_where_it_requires_what_is_in_them() {
        let mut config = Config::default();
        assert!(of_door_alone(&config).is_empty());
        config.environment = Environment::Production;
        assert_eq!(of_door_alone(&config).len(), 1);
        config.door.documents.manifests.push("documents".into());
        assert!(of_door_alone(&config).is_empty());
    }
}
