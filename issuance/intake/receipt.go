package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Words are a text in both languages.
type Words struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// In is the text in a language, vi or en.
func (w Words) In(lang string) string {
	if lang == "vi" {
		return w.VI
	}
	return w.EN
}

// The schemas of what an office signs.
const (
	receiptSchema = "tamthe/intake-receipt/1"
	statusSchema  = "tamthe/intake-status/1"
	eventsSchema  = "tamthe/intake-events/1"
)

// Receipt says what the office took in, when, and what comes next. Like the appointment slip
// CC02 it is for the citizen; unlike it, it holds no personal data.
type Receipt struct {
	Schema   string    `json:"schema"`
	Specimen bool      `json:"specimen"`
	Office   string    `json:"office" doc:"the service's address"`
	Portal   string    `json:"portal"`
	Request  string    `json:"request"`
	Case     string    `json:"case"`
	Code     string    `json:"code" doc:"the receipt's number, by which the citizen asks and comes"`
	Act      Act       `json:"act"`
	Digest   string    `json:"digest" doc:"SHA-256 of the message's octets"`
	Received time.Time `json:"received"`
	State    State     `json:"state" doc:"of the case, once this had come"`
	Next     Words     `json:"next" doc:"what comes next"`
	Paper    Words     `json:"paper" doc:"the slip"`
}

// next says what comes after a state.
var next = map[State]Words{
	Waiting:   {"Chờ cổng gửi tờ khai ban đầu.", "The office waits for the portal to send the application itself."},
	Received:  {"Mời công dân đến nơi làm thủ tục, mang theo mã biên nhận này để chụp ảnh và ký tờ khai.", "Come to the desk with this receipt's number, to be photographed and to sign."},
	AtDesk:    {"Hồ sơ đang được kiểm tra tại nơi tiếp nhận.", "The desk is looking into the application."},
	Approved:  {"Hồ sơ đã được duyệt; thẻ đang được sản xuất.", "The application is approved; the card is being made."},
	Ready:     {"Mời công dân đến nhận thẻ.", "The card can be fetched."},
	Delivered: {"Thẻ đã được trả; hồ sơ kết thúc.", "The card was handed over; nothing more is to be done."},
	Refused:   {"Hồ sơ bị từ chối. Công dân có thể nộp lại hoặc khiếu nại.", "The application was refused. You may apply again, or complain."},
	Withdrawn: {"Hồ sơ đã được rút; không còn việc gì phải làm.", "The application was withdrawn; nothing more is to be done."},
	Cancelled: {"Hồ sơ đã bị hủy tại nơi tiếp nhận. Công dân có thể nộp lại.", "The application was cancelled at the desk. You may apply again."},
}

// stateWords say a state for people.
var stateWords = map[State]Words{
	Waiting:   {"chờ tờ khai", "waiting for the application"},
	Received:  {"đã tiếp nhận", "received"},
	AtDesk:    {"đang xử lý", "at the desk"},
	Approved:  {"đã duyệt", "approved"},
	Ready:     {"có thể nhận thẻ", "ready"},
	Delivered: {"đã trả thẻ", "delivered"},
	Refused:   {"bị từ chối", "refused"},
	Withdrawn: {"đã rút", "withdrawn"},
	Cancelled: {"đã hủy", "cancelled"},
}

// Text says a state for people.
func (s State) Text(lang string) string { return stateWords[s].In(lang) }

// Next says for people what comes after a state.
func (s State) Next(lang string) string { return next[s].In(lang) }

var actWords = map[Act]Words{
	File: {"nộp hồ sơ", "application"}, Amend: {"sửa đổi hồ sơ", "amendment"}, Withdraw: {"rút hồ sơ", "withdrawal"},
}

// receipt makes the receipt of a message for the case as it is then.
func (s *Server) receipt(m *Message, c Case, body []byte, at time.Time) (Signed, error) {
	sum := sha256.Sum256(body)
	r := Receipt{
		Schema: receiptSchema, Specimen: true, Office: s.c.URL, Portal: m.Portal, Request: m.Request, Case: m.Case, Code: c.Code, Act: m.Act,
		Digest: hex.EncodeToString(sum[:]), Received: at, State: c.State, Next: next[c.State],
	}
	name := m.Portal
	if p := s.portals[m.Portal]; p != nil && p.Name != "" {
		name = p.Name
	}
	const sheet = "SPECIMEN\n%s\n\n%s: %s\n%s: %s\n%s: %s\n%s: %s\n%s: %s\n%s: %s\n\n%s\n"
	local := at.In(s.c.Now().Location()).Format("02/01/2006 15:04 -07:00")
	r.Paper = Words{
		fmt.Sprintf(sheet, "BIÊN NHẬN HỒ SƠ NỘP TRỰC TUYẾN", "Mã biên nhận", c.Code, "Nội dung", actWords[m.Act].VI, "Nộp qua", name, "Mã hồ sơ của cổng", m.Case,
			"Tiếp nhận lúc", local, "Mã kiểm tra (SHA-256)", r.Digest, r.Next.VI),
		fmt.Sprintf(sheet, "RECEIPT OF AN APPLICATION MADE ONLINE", "Receipt", c.Code, "Received", actWords[m.Act].EN, "Through", name, "The portal's number", m.Case,
			"At", local, "SHA-256", r.Digest, r.Next.EN),
	}
	return s.signed(r)
}

// signed signs what the office says.
func (s *Server) signed(v any) (Signed, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Signed{}, err
	}
	return s.c.Signer.Sign(b)
}

// Status is how a case stands, for whoever has its code.
type Status struct {
	Schema   string    `json:"schema"`
	Specimen bool      `json:"specimen"`
	Code     string    `json:"code"`
	State    State     `json:"state"`
	Why      string    `json:"why,omitempty" doc:"the reason of an end"`
	Since    time.Time `json:"since"`
	Next     Words     `json:"next"`
}

// Ask is a portal's question for its events; it is signed as messages are.
type Ask struct {
	To      string    `json:"to"`
	Portal  string    `json:"portal"`
	Request string    `json:"request" doc:"a name for this question, which the answer repeats"`
	Time    time.Time `json:"time"`
	After   int64     `json:"after" doc:"the cursor: 0 at first, then what the last answer said"`
}

var askKeys = []string{"to", "portal", "request", "time", "after"}

// Events are a portal's events after its cursor.
type Events struct {
	Schema   string  `json:"schema"`
	Specimen bool    `json:"specimen"`
	Office   string  `json:"office"`
	Portal   string  `json:"portal"`
	Request  string  `json:"request"`
	Events   []Event `json:"events"`
	Cursor   int64   `json:"cursor" doc:"ask for what comes after this next time"`
	More     bool    `json:"more" doc:"there are more already"`
}
