package protocol

import (
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	request, err := ParseRequest([]byte(`{"id": 7, "op": "dump", "cut": "c-1.a_B", "dir": "/x", "leaseSeconds": 15}`))
	if err != nil || request != (Request{ID: 7, Op: "dump", Cut: "c-1.a_B", Dir: "/x", LeaseSeconds: 15}) {
		t.Errorf("%+v %v", request, err)
	}
}

func TestBadRequestsSayWhatIsAllowed(t *testing.T) {
	for line, want := range map[string]string{
		``:                         "one JSON object",
		`[]`:                       "one JSON object",
		`{"id": 1} {"id": 2}`:      "one JSON object",
		`{"id": 1, "what": 2}`:     `unknown field "what"`,
		`{"id": 1, "cut": "../x"}`: "letters, digits",
		`{"id": 1, "cut": "` + strings.Repeat("x", 129) + `"}`: "128",
		`{"id": 1, "leaseSeconds": -1}`:                        "above 0",
		`{"id": 1, "leaseSeconds": 601}`:                       "at most 600",
		`{"id": 1, "leaseSeconds": "NaN"}`:                     "one JSON object",
	} {
		_, err := ParseRequest([]byte(line))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestTheNumberOfABadRequestIsKept(t *testing.T) {
	if request, err := ParseRequest([]byte(`{"id": 5, "what": 1}`)); err == nil || request.ID != 5 {
		t.Errorf("%+v %v", request, err)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"id": 1, "op": "status"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		request, err := ParseRequest(line)
		if err == nil && (request.LeaseSeconds < 0 || strings.ContainsAny(request.Cut, "/\x00")) {
			t.Errorf("accepted %+v", request)
		}
	})
}
