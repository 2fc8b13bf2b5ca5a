// Package protocol is what the launcher and the agent say to each other: JSON objects, one a line.
package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
)

// MaxLine bounds a request, in bytes.
const MaxLine = 64 << 10

// Request is what the agent asks. Fields that an operation does not name are ignored by it.
type Request struct {
	ID           int64   `json:"id"`
	Op           string  `json:"op"`
	Cut          string  `json:"cut"`
	Dir          string  `json:"dir"`
	LeaseSeconds float64 `json:"leaseSeconds"`
	Signal       int     `json:"signal"`
}

// Exit is how the program ended: Signal is 0 unless one killed it, Code is what the launcher exits with.
type Exit struct {
	Code   int `json:"code"`
	Signal int `json:"signal"`
}

// Reply answers the request with the same ID. Only the fields of its operation are set. Busy names an operation under way,
// whose end may change the State.
type Reply struct {
	ID      int64  `json:"id"`
	OK      bool   `json:"ok"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`

	State string  `json:"state,omitempty"`
	Busy  string  `json:"busy,omitempty"`
	PID   int     `json:"pid,omitempty"`
	Cut   *string `json:"cut,omitempty"`
	Exit  *Exit   `json:"exit,omitempty"`

	FreezeMs  *float64 `json:"freezeMs,omitempty"`
	DumpMs    *float64 `json:"dumpMs,omitempty"`
	FilesMs   *float64 `json:"filesMs,omitempty"`
	RestoreMs *float64 `json:"restoreMs,omitempty"`
	Bytes     *int64   `json:"bytes,omitempty"`
}

// Event is what the launcher says unasked.
type Event struct {
	Event        string   `json:"event"`
	Code         *int     `json:"code,omitempty"`
	Signal       *int     `json:"signal,omitempty"`
	Cut          string   `json:"cut,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	GraceSeconds *float64 `json:"graceSeconds,omitempty"`
}

// Failure is an error with a CamelCase reason for programs and a message for the job's owner.
type Failure struct {
	Reason  string
	Message string
}

func (f *Failure) Error() string { return f.Message }

// Failed makes a Failure.
func Failed(reason, format string, arguments ...any) *Failure {
	return &Failure{Reason: reason, Message: fmt.Sprintf(format, arguments...)}
}

// MaxLeaseSeconds is the longest lease, as in the operator's protocol with the agent.
const MaxLeaseSeconds = 600

var cutName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// ParseRequest reads one line. Its error says what is allowed; the ID is set even then, if it could be read.
func ParseRequest(line []byte) (Request, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	var request Request
	if err := decoder.Decode(&request); err != nil {
		return Request{ID: request.ID}, fmt.Errorf("a request must be one JSON object on one line: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Request{ID: request.ID}, fmt.Errorf("a request must be one JSON object on one line")
	}
	if request.Cut != "" && !cutName.MatchString(request.Cut) {
		return Request{ID: request.ID}, fmt.Errorf("a cut is named by up to 128 letters, digits, '.', '_' and '-'")
	}
	lease := request.LeaseSeconds
	if math.IsNaN(lease) || lease < 0 || lease > MaxLeaseSeconds {
		return Request{ID: request.ID}, fmt.Errorf("leaseSeconds must be above 0 and at most %d", MaxLeaseSeconds)
	}
	return request, nil
}
