// Package analysis says what made HTTP exchanges slow or broke them: it draws up a ledger of each
// exchange's time, lets the rules look at connections and exchanges, and collects what they find
// into a [report.Report]. Every opinion, threshold, cost and remedy of the program is in it and
// below it.
//
// [Run] is the whole of it: it reads a [capture.Source] to its end, or until its context is
// cancelled, and gives the report. Options choose the rules, the limits, and who is told of
// findings and exchanges before the end. A [Partial] is what it knows in the end, and becomes one
// with those of other captures.
//
// # What is promised
//
// Run keeps nothing between calls: there is no state of the package, calls do not know of each
// other, no goroutine outlives the call that started it, and nothing is logged. Of the same
// segments it makes the same report, however many workers there are and whether they come from a
// file or from an interface.
//
// This package, [tcpwhy/analysis/report], and of [tcpwhy/capture] what opens a source, are what
// other programs may use. Until two programs do, they are v0: names may still change, and
// CHANGELOG.md says so when they do. Reports gain fields, rules and causes at any time; the name of
// a rule, and the code of a cause, keep their meaning.
package analysis
