package main

import "github.com/tamthe/tamthe/verify/eid/credential"

// The words of derived credentials.
var (
	wordCredentialAccepted = phrase{"%s: issued by %s, good until %s", "%s: do %s cấp, có giá trị đến %s"}
	wordCredentialRefused  = phrase{"%s: %s [%s]", "%s: %s [%s]"}
	wordCredentialCodes    = map[credential.Code]phrase{
		credential.CodeMalformed:   {"it is no credential of the form that is read here", "không phải chứng thực theo dạng đọc được ở đây"},
		credential.CodeAlgorithm:   {"it is signed with an algorithm that is not taken, or not at all", "ký bằng thuật toán không được chấp nhận, hoặc không ký"},
		credential.CodeHash:        {"its digests are of an algorithm that is not taken", "giá trị băm dùng thuật toán không được chấp nhận"},
		credential.CodeType:        {"it is another kind of credential", "thuộc loại chứng thực khác"},
		credential.CodeIssuer:      {"it is of another issuer", "do nơi khác cấp"},
		credential.CodeSignature:   {"its issuer did not sign it", "không phải chữ ký của nơi cấp"},
		credential.CodeExpired:     {"it has expired", "đã hết hạn"},
		credential.CodeEarly:       {"it is not valid yet", "chưa có hiệu lực"},
		credential.CodeDisclosure:  {"what is disclosed is not what was signed", "thông tin đưa ra không phải thông tin đã ký"},
		credential.CodeUnbound:     {"its holder's key was not shown", "người giữ chưa chứng minh khóa của mình"},
		credential.CodeBinding:     {"somebody else's key was shown", "khóa đưa ra không phải của người giữ"},
		credential.CodeAudience:    {"it was shown to somebody else", "đã đưa ra cho nơi khác"},
		credential.CodeNonce:       {"it was shown another time", "đã đưa ra cho lần khác"},
		credential.CodeTime:        {"it was shown too long ago, or the clocks are wrong", "đã đưa ra quá lâu, hoặc đồng hồ sai"},
		credential.CodePresented:   {"fields were added or taken out after it was shown", "thông tin đã bị thêm hoặc bớt sau khi đưa ra"},
		credential.CodeRevoked:     {"the card is no longer in force", "thẻ không còn hiệu lực"},
		credential.CodeSuspended:   {"the card is suspended", "thẻ đang bị tạm khóa"},
		credential.CodeStatus:      {"nobody can say how the card stands", "không hỏi được tình trạng thẻ"},
		credential.CodeSpecimen:    {"it is of a SPECIMEN card, which is no identity document", "là của thẻ MẪU (SPECIMEN), không phải giấy tờ thật"},
		credential.CodeMissing:     {"a field that is needed was not disclosed", "thiếu thông tin cần thiết"},
		credential.CodeProof:       {"the holder's key was not proven", "chưa chứng minh được khóa của người giữ"},
		credential.CodeNotInForce:  {"the card is not active, or nobody can say", "thẻ không còn hiệu lực, hoặc không hỏi được"},
		credential.CodeUnknown:     {"there is no such login", "không có lần đăng nhập này"},
		credential.CodeOutOfPlaces: {"the status lists are full", "danh sách tình trạng đã đầy"},
	}
)
