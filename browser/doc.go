// Package browser has the tests of the HTML report that need a browser. It is a module of its own,
// so that what drives a browser is no dependency of the program.
package browser
