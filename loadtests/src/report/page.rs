//! The page: one HTML file with everything in it, for the screen by day and by night, and for paper.

use super::{Report, Table};

const STYLE: &str = include_str!("page.css");

pub fn html(report: &Report) -> String {
    let name = escape(&report.name);
    let circumstances: String = report
        .circumstances
        .rows()
        .into_iter()
        .map(|(what, value)| format!("<dt>{what}</dt><dd>{}</dd>", escape(&value)))
        .collect();
    let charts: String = report
        .charts
        .iter()
        .map(|chart| {
            let title = escape(&chart.title);
            format!("<figure><figcaption>{title}</figcaption>{}{}</figure>", chart.legend(), chart.svg())
        })
        .collect();
    let tables: String = report.tables.iter().map(table).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{name}</title><style>{STYLE}</style></head><body><main>\
         <header><p class=\"brand\">Pratu · load test</p><h1>{name}</h1><p>{}</p></header>\
         {}{charts}{tables}<section><h2>Measured on</h2><dl>{circumstances}</dl></section>\
         </main></body></html>\n",
        escape(&report.about),
        verdicts(report),
    )
}

fn verdicts(report: &Report) -> String {
    if report.verdicts.is_empty() {
        return String::new();
    }
    let cards: String = report
        .verdicts
        .iter()
        .map(|verdict| {
            let (class, word) = if verdict.held { ("held", "held") } else { ("missed", "missed") };
            let (what, found) = (escape(&verdict.what), escape(&verdict.found));
            let wanted = escape(&verdict.wanted);
            format!(
                "<li class=\"{class}\"><span class=\"what\">{what}</span><strong>{found}</strong>\
                 <span class=\"wanted\">{wanted} · {word}</span></li>"
            )
        })
        .collect();
    format!("<section><h2>What was to hold</h2><ul class=\"cards\">{cards}</ul></section>")
}

fn table(table: &Table) -> String {
    let cells = |cells: &[String], kind: &str| {
        cells.iter().map(|cell| format!("<{kind}>{}</{kind}>", escape(cell))).collect::<String>()
    };
    let rows: String = table.rows.iter().map(|row| format!("<tr>{}</tr>", cells(row, "td"))).collect();
    let note = match table.note.as_str() {
        "" => String::new(),
        note => format!("<p class=\"note\">{}</p>", escape(note)),
    };
    let (title, head) = (escape(&table.title), cells(&table.head, "th"));
    format!(
        "<section><h2>{title}</h2><div class=\"wide\"><table><thead><tr>{head}</tr></thead>\
         <tbody>{rows}</tbody></table></div>{note}</section>"
    )
}

/// Text as it may stand in HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
