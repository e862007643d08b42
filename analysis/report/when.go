package report

import "time"

// When is what is regular about the moments of a fault; zero where nothing is.
type When struct {
	// Began and Ended are its first and last moment, where it could have shown well before, and well
	// after, and did not.
	Began, Ended time.Duration
	// Every is between one time and the next, where it came at regular intervals.
	Every time.Duration
}
