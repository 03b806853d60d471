//! Prints what was measured, as tables a page of text can take over.

use crate::cpu::Cost;

/// The first contender is what the others are compared with.
pub fn ratios(title: &str, costs: &[Cost]) {
    println!("\n{title}\n\n| | CPU µs | ratio |\n| --- | ---: | ---: |");
    for cost in costs {
        println!("| {} | {:.0} | {:.2} |", cost.name, cost.median(), cost.ratio_to(&costs[0]));
    }
}

pub fn costs(title: &str, costs: &[Cost]) {
    println!("\n{title}\n\n| | CPU µs |\n| --- | ---: |");
    for cost in costs {
        println!("| {} | {:.1} |", cost.name, cost.median());
    }
}
