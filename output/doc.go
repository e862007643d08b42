// Package output writes reports: text for people, JSON and NDJSON for programs, and the description
// of rules.
//
// It holds no opinion and computes nothing but layout: what is in a report was decided in analysis.
// All that came from the network is made harmless here before it is written (mask.go).
package output
