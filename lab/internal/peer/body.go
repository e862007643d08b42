//go:build linux

package peer

// Fill is a body of n octets in lines, so that a capture shows where one is.
func Fill(n int) []byte {
	body := make([]byte, n)
	const line = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.\n"
	for i := range body {
		body[i] = line[i%len(line)]
	}
	return body
}
