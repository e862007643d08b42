// Package ending has the rules about how exchanges and connections end: resets, races, truncation,
// half-closes, forgotten connections, and the header fields and habits that lead there.
package ending
