/** Words that say nothing about the topic: function words, and the small change of speech. */
const list = `a about after again all also am an and another any are arent as at back be because been before being both but by can cant come
could couldnt did didnt do does doesnt doing dont done each else even ever every for from get getting go goes going gone got had hasnt has have havent
having he her here him his how i if in into is isnt it just kind know let like look make many me might mine more most much must my need no nor not now of off
on once only or other our out over own put really right said same say says see she should shouldnt so some something still such take than that
the their them then there these they thing things think this those though through to too try up us use very want was wasnt way we well went were
werent what when where which while who why will with wont would wouldnt yes yet you your
ah aha alright anyway basically bit eh er erm god guys ha haha hey hm hmm huh kinda lol mhm mm mmm nah nope oh okay ooh oops ouch please sorry sort
sure thank thanks uh uhh uhhuh um umm wait whatever whoa wow ya yeah yep yup yo dontknow maybe actually hello hi bye one ones good nice great cool
cus gotta wanna lot little yours`

const stops = new Set(list.split(/\s+/))

export function isStop (token: string): boolean {
  return token.length < 2 ? !/^\d|^[^a-z]/.test(token) : stops.has(token)
}
