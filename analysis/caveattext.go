package analysis

// caveatText says what a connection's caveat means.
func caveatText(code string) string {
	switch code {
	}
	return code
}
