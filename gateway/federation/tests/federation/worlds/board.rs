//! Lists of lists, objects in circles, objects without a root field, and nulls that spread.

use serde_json::json;

use super::{ask, data};

#[tokio::test]
async fn an_entity_in_a_list_of_lists_is_completed_in_its_place() {
    let query = "{ board { squares { piece { name } } regions { piece { name } } labels } }";
    let answer = data("board", query).await;
    let king = json!({"piece": {"name": "king"}});
    let nobody = json!({"piece": null});
    assert_eq!(answer["board"]["squares"], json!([[king, nobody], [], [nobody, king]]));
    assert_eq!(answer["board"]["regions"], json!([[[king, null], []], [[nobody]]]));
    assert_eq!(answer["board"]["labels"], json!([["x", null], [], ["z"]]));
}

#[tokio::test]
async fn objects_that_lead_back_to_each_other_are_followed_as_far_as_asked() {
    let query = "{ board { squares { piece { moves { to { next { piece { stands { row } } } } } } } } }";
    let (answer, asked) = ask("board", query).await;
    let first = &answer["data"]["board"]["squares"][0][0];
    let there = json!([{"to": {"next": {"piece": {"stands": {"row": 2}}}}}]);
    assert_eq!(first["piece"]["moves"], there, "{asked:#?}");
}

#[tokio::test]
async fn an_entity_without_a_root_field_is_completed_where_it_is_met() {
    let (answer, asked) = ask("board", "{ board { squares { piece { pride taken { name } } } } }").await;
    let king = json!({"piece": {"pride": "great", "taken": {"name": "rook"}}});
    assert_eq!(answer["data"]["board"]["squares"][0][0], king, "{asked:?}");
}

#[tokio::test]
async fn a_null_spreads_through_lists_of_lists_to_where_it_may_be() {
    // The rook takes no pride in itself and the third square is not sure what it holds.
    let query = "{ board { squares { id sure { pride } } } maybe { squares { around { sure { name } } } } }";
    let (answer, _) = ask("board", query).await;
    assert_eq!(answer["data"], json!(null));
    let query =
        "{ maybe { squares { brittle piece { value } around { id } inner { hard } } rules { version } } }";
    let (answer, _) = ask("board", query).await;
    let square =
        json!({"brittle": "whole", "piece": {"value": null}, "around": [[null], null], "inner": null});
    assert_eq!(answer["data"]["maybe"], json!({"squares": [[square]], "rules": null}));
}

#[tokio::test]
async fn arguments_of_an_entity_s_field_reach_its_part() {
    for steps in [1, 2, 3] {
        data(
            "board",
            &format!("{{ board {{ squares {{ reachable(steps: {steps}) {{ id piece {{ name }} }} }} }} }}"),
        )
        .await;
    }
}
