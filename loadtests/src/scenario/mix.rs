//! What people do in scenarios, by name: each is one of our own clients' documents.

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::{People, Scenario};
use crate::filing::{document, offering, submitted};
use crate::operation::{Caller, Operation, Prepared};
use crate::people::{PERSONAS, Person, Place};

/// Operations that a mix can name.
pub const NAMES: [&str; 7] =
    ["find", "guide", "guide_each", "viewer", "my_applications", "track", "my_bills"];

/// Public services whose guides are read.
const SERVICES: [&str; 8] = ["LAO-01", "DLT-01", "DBD-01", "MOT-01", "LAO-02", "ECT-01", "DOAE-02", "OPM-01"];
const SEARCHES: [&str; 6] = ["ขายอาหาร", "ใบขับขี่", "ทะเบียน", "รถไฟฟ้า", "passport", "tax"];
/// What a guide has that there is.
const GUIDE: &str = r#""publicService":{"code":"#;
/// People who are set up at once.
const AT_ONCE: usize = 4;

/// Everyone that the load is sent as.
pub struct Crowd {
    pub people: Vec<Person>,
    /// What each has filed.
    applications: Vec<Vec<String>>,
}

impl Crowd {
    pub async fn gather(place: &Place, wanted: &People) -> anyhow::Result<Self> {
        let offering = offering(place).await.context("looking up what is filed")?;
        let one = async |nth: usize| {
            let person = Person::log_in(place, PERSONAS[nth % PERSONAS.len()]).await?;
            let mut applications = Vec::new();
            for _ in 0..wanted.applications_each {
                applications.push(submitted(place, &person, &offering).await?);
            }
            anyhow::Ok((person, applications))
        };
        let made: Vec<_> = stream::iter(0..wanted.sessions).map(one).buffered(AT_ONCE).try_collect().await?;
        let (people, applications) = made.into_iter().unzip();
        Ok(Self { people, applications })
    }

    /// The operations of a mix.
    pub fn operations(&self, scenario: &Scenario) -> anyhow::Result<Vec<Operation>> {
        scenario.mix.iter().map(|(name, share)| self.operation(name, *share)).collect()
    }

    fn operation(&self, name: &str, share: f64) -> anyhow::Result<Operation> {
        let (requests, expected) = match name {
            "find" => {
                let find = document("FindServices")?;
                let request = |search| {
                    let variables = json!({ "search": search, "area": "1201", "first": 10 });
                    Prepared::graphql(&find, &variables, Caller::Nobody)
                };
                (SEARCHES.map(request).to_vec(), r#""publicServices":{"nodes":["#)
            }
            "guide" => (guides(&SERVICES[..1])?, GUIDE),
            "guide_each" => (guides(&SERVICES)?, GUIDE),
            "viewer" => (self.each("Viewer", &json!({}))?, r#""parties":[{"#),
            "my_applications" => {
                let some = self.applications.iter().all(|filed| !filed.is_empty());
                let expected =
                    if some { r#""applications":{"nodes":[{"# } else { r#""applications":{"nodes":["# };
                (self.each("MyApplications", &json!({ "first": 20 }))?, expected)
            }
            "my_bills" => (self.each("MyBills", &json!({ "first": 20 }))?, r#""bills":{"nodes":["#),
            "track" => (self.track()?, r#""application":{"id":"#),
            _ => bail!("there is no operation {name}"),
        };
        if requests.is_empty() {
            bail!("{name} needs people with applications");
        }
        Ok(Operation::new(name, share, requests).expecting(expected))
    }

    fn each(&self, operation: &str, variables: &serde_json::Value) -> anyhow::Result<Vec<Prepared>> {
        let document = document(operation)?;
        let request =
            |person: &Person| Prepared::graphql(&document, variables, Caller::Person(person.token.clone()));
        Ok(self.people.iter().map(request).collect())
    }

    fn track(&self) -> anyhow::Result<Vec<Prepared>> {
        let document = document("ApplicationDetail")?;
        let mut requests = Vec::new();
        for (person, applications) in self.people.iter().zip(&self.applications) {
            for id in applications {
                let caller = Caller::Person(person.token.clone());
                requests.push(Prepared::graphql(&document, &json!({ "id": id }), caller));
            }
        }
        Ok(requests)
    }
}

fn guides(services: &[&str]) -> anyhow::Result<Vec<Prepared>> {
    let guide = document("ServiceGuide")?;
    let request = |code: &&str| Prepared::graphql_get(&guide, &json!({ "code": code }));
    Ok(services.iter().map(request).collect())
}
