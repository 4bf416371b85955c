package console

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tamthe/tamthe/card/auth"
)

// Why a checkpoint's page has nothing to show, or no portrait.
var (
	errLookGone     = &problem{"card-gone", http.StatusNotFound, say{"Kết quả này không còn được giữ", "This result is not kept any more"}, say{"Kết quả chỉ được giữ mười lăm phút, đến thẻ kế tiếp hoặc đến khi đăng xuất. Đặt thẻ lên đầu đọc và kiểm tra lại; lần kiểm tra vẫn còn trong sổ.", "A result is kept for fifteen minutes, until the next card, or until you log out. Check the card again; that it was checked stands in the record."}}
	errUnproven     = &problem{"portrait-unproven", http.StatusForbidden, say{"Ảnh không hiện: chưa xác thực dữ liệu của thẻ", "No portrait: the data of this card are not proven"}, say{"Không dựa vào ảnh hay dữ liệu nào của thẻ này.", "Rely on no picture and no data of this card."}}
	errPortraitNone = &problem{"portrait-none", http.StatusNotFound, say{"Thẻ không có ảnh, hoặc ảnh không được đọc", "There is no portrait on the card, or it was not read"}, say{"So người với giấy tờ khác có ảnh.", "Compare the bearer with another document that has a picture."}}
	errPicture      = &problem{"portrait-bad", http.StatusUnprocessableEntity, say{"Ảnh trên chip hỏng hoặc quá lớn, không mở ra", "The picture on the chip is damaged or too large and is not opened"}, say{"Chuyển thẻ cho bộ phận kiểm tra cấp hai; không so người bằng ảnh này.", "Pass the card on to the second line; do not compare the bearer by this picture."}}
	errNoDecoder    = &problem{"portrait-decoder", http.StatusNotImplemented, say{"Máy này không mở được ảnh JPEG 2000", "This machine cannot open pictures in JPEG 2000"}, say{"Cài gói libopenjp2-tools trên máy chủ của trang này.", "Install the package libopenjp2-tools on this page's server."}}
	errHolder       = &problem{"holder-form", http.StatusBadRequest, say{"Chưa chọn câu trả lời", "No answer was chosen"}, say{"Chọn: đúng người, không phải người này, hoặc không chắc.", "Choose: this person, another person, or unsure."}}
)

// atCheckpoint says what an officer does about errors of reader and card, by their codes.
var atCheckpoint = map[string]struct{ what, hint say }{
	"no-reader":      {say{"Không có đầu đọc nào", "There is no reader"}, say{"Cắm đầu đọc vào máy này rồi làm lại.", "Plug a reader into this machine, then try again."}},
	"readers":        {say{"Có nhiều đầu đọc đang có thẻ", "Several readers hold a card"}, say{"Chỉ để một thẻ trên một đầu đọc, hoặc người quản trị chọn đầu đọc bằng --reader.", "Leave one card on one reader, or have the administrator choose the reader with --reader."}},
	"no-card":        {say{"Không có thẻ trên đầu đọc", "There is no card on the reader"}, say{"Đặt thẻ nằm phẳng giữa đầu đọc rồi làm lại.", "Lay the card flat on the reader, then try again."}},
	"card-removed":   {say{"Thẻ bị nhấc ra khi đang đọc", "The card was removed while it was read"}, say{"Đặt lại thẻ, giữ yên đến khi có kết quả. Lần này chưa có kết luận.", "Put it back and keep it still until the result is there. There is no verdict of this time."}},
	"card-reset":     {say{"Chương trình khác đã cắt ngang thẻ", "Another program interrupted the card"}, say{"Đóng chương trình ấy rồi làm lại.", "Close that program, then try again."}},
	"card-silent":    {say{"Thẻ không trả lời nữa", "The card stopped answering"}, say{"Nhấc thẻ ra, đặt lại rồi làm lại; nếu vẫn vậy, chuyển kiểm tra cấp hai.", "Take the card off, put it back and try again; if it stays so, refer it to the second line."}},
	"card-mute":      {say{"Thẻ không trả lời", "The card does not answer"}, say{"Lật thẻ, lau mặt tiếp xúc hoặc đặt phẳng; nếu vẫn vậy, chuyển kiểm tra cấp hai.", "Turn the card over, clean its contacts or lay it flat; if it stays so, refer it to the second line."}},
	"card-busy":      {say{"Chương trình khác đang dùng thẻ", "Another program is using the card"}, say{"Đóng chương trình ấy rồi làm lại.", "Close that program, then try again."}},
	"blocked":        {say{"Thẻ đã khóa, không nhận mã này nữa", "The card is blocked: it no longer takes this code"}, say{"Không thử nữa. Chuyển thẻ cho cơ quan cấp hoặc kiểm tra cấp hai.", "Do not try again. Pass the card on to its issuer or to the second line."}},
	"wrong-password": {say{"Sai CAN hoặc MRZ: thẻ không mở", "Wrong CAN or MRZ: the card does not open"}, say{"So từng chữ số với mặt thẻ. Nếu in đúng như vậy, chip không thuộc thẻ này: chuyển kiểm tra cấp hai.", "Compare each digit with the card. If it is printed like that, the chip is not this card's: refer it to the second line."}},
	"no-password":    {say{"Thẻ này không mở bằng mã vừa nhập", "This card does not open by what was typed"}, say{"Quét MRZ thay cho CAN, hoặc CAN thay cho MRZ.", "Scan the MRZ in place of the CAN, or type the CAN in place of the MRZ."}},
	"no-access":      {say{"Không mở được chip", "The chip does not open"}, say{"Giữ thẻ yên rồi làm lại. Nếu vẫn vậy, mục «Khác» cho phép giao thức cũ BAC; chip chưa ghi dữ liệu thì không mở.", "Keep the card still and try again. If it stays so, the older protocol BAC may be permitted under “More”; a chip that was never personalised does not open."}},
	"no-application": {say{"Đây không phải thẻ căn cước có chip, hoặc thẻ chưa được ghi", "This is no chip ID card, or one that was never personalised"}, say{"Kiểm tra xem có thẻ nào khác trên đầu đọc không.", "Look whether another card lies on the reader."}},
	"card-protocol":  {say{"Chip trả lời sai giao thức", "The chip answers against the protocol"}, say{"Làm lại một lần. Nếu vẫn vậy, chip hỏng hoặc không phải chip thật: chuyển kiểm tra cấp hai.", "Try once more. If it stays so, the chip is broken or no genuine one: refer it to the second line."}},
	"interrupted":    {say{"Việc kiểm tra bị ngắt", "The inspection was interrupted"}, say{"Làm lại từ đầu.", "Begin anew."}},
}

// checkpointProblem says to an officer what an error of reader or card means, with the tries
// that a card said are left.
func checkpointProblem(err error, explain func(error, string) Failure) error {
	code := explain(err, "en").Code
	w, ok := atCheckpoint[code]
	if !ok {
		return err
	}
	if e, ok := errors.AsType[*auth.PasswordError](err); ok {
		if n, ok := e.TriesLeft(); ok {
			w.what.vi += fmt.Sprintf("; còn %d lần thử", n)
			w.what.en += fmt.Sprintf("; %d tries left", n)
		}
	}
	return &problem{code, http.StatusConflict, w.what, w.hint}
}

// fieldNames are the fields of a national data group as people call them.
var fieldNames = map[string]say{
	"ethnicity": {"Dân tộc", "Ethnicity"}, "religion": {"Tôn giáo", "Religion"}, "origin": {"Quê quán", "Place of origin"},
	"residence": {"Nơi cư trú", "Residence"}, "features": {"Đặc điểm nhận dạng", "Identification marks"}, "issued": {"Ngày cấp", "Issued"},
	"spouse": {"Vợ hoặc chồng", "Spouse"}, "old_number": {"Số CMND cũ", "Former number"}, "serial": {"Mã thẻ", "Code of the card"},
	"father": {"Cha", "Father"}, "mother": {"Mẹ", "Mother"},
}

// told is what is said of a problem beside something else on a page.
func (p *problem) told(lang string) *Failure {
	return &Failure{Code: p.code, Message: p.what.in(lang), Hint: p.hint.in(lang)}
}
